//! What a file is, by its name or by what its importer says.

use std::path::Path;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Format {
    JavaScript,
    Jsx,
    TypeScript,
    Tsx,
    Json,
    Text,
    Bytes,
}

/// The module system that a file's name or package asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    Module,
    CommonJs,
    /// Nobody says, so its syntax does.
    Unsaid,
}

const TEXT: &[&str] = &[
    "txt", "html", "htm", "md", "sql", "css", "csv", "tsv", "svg", "xml", "graphql", "gql", "yaml", "yml", "toml", "pem", "crt",
];
const BYTES: &[&str] = &[
    "bin", "png", "jpg", "jpeg", "gif", "webp", "avif", "ico", "woff", "woff2", "ttf", "otf", "pdf", "gz", "zip", "mp3", "ogg",
    "mp4", "dat",
];

impl Format {
    /// By the file's name; `None` if it says nothing.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match extension.as_str() {
            "js" | "mjs" | "cjs" => Self::JavaScript,
            "jsx" => Self::Jsx,
            "ts" | "mts" | "cts" => Self::TypeScript,
            "tsx" => Self::Tsx,
            "json" => Self::Json,
            text if TEXT.contains(&text) => Self::Text,
            bytes if BYTES.contains(&bytes) => Self::Bytes,
            _ => return None,
        })
    }

    /// By the `type` of an import: `with { type: "text" }`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "json" => Some(Self::Json),
            "text" => Some(Self::Text),
            "bytes" => Some(Self::Bytes),
            _ => None,
        }
    }

    /// Its name, as an import's `type` has it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::JavaScript | Self::Jsx => "javascript",
            Self::TypeScript | Self::Tsx => "typescript",
            Self::Json => "json",
            Self::Text => "text",
            Self::Bytes => "bytes",
        }
    }

    /// Whether types or JSX have to go before it is JavaScript.
    pub(crate) fn is_transformed(self) -> bool {
        matches!(self, Self::Jsx | Self::TypeScript | Self::Tsx)
    }

    /// Whether it may have types.
    pub(crate) fn is_typescript(self) -> bool {
        matches!(self, Self::TypeScript | Self::Tsx)
    }
}

impl System {
    /// By the file's name, then by its package.
    pub(crate) fn of(path: &Path, package: Self) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("mjs" | "mts") => Self::Module,
            Some("cjs" | "cts") => Self::CommonJs,
            _ => package,
        }
    }
}
