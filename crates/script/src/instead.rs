//! Well-known packages that only Node.js can run, and what people use instead of each.

/// Packages, and what does their work in a function.
const INSTEAD: &[(&[&str], &str)] = &[
    (
        &["express", "fastify", "koa", "connect", "restify", "@hapi/hapi", "body-parser"],
        "npm install hono: a router of this kind for `fetch` handlers",
    ),
    (&["jsonwebtoken", "jws", "jwa", "passport-jwt"], "npm install jose: JSON web tokens with crypto.subtle"),
    (&["bcrypt", "argon2"], "npm install bcryptjs, or @noble/hashes"),
    (&["sharp", "canvas", "jimp", "puppeteer", "playwright"], "a function of its own in Rust, called by env.NAME.fetch(request)"),
    (
        &["pg", "postgres", "mysql", "mysql2", "mongodb", "mongoose", "tedious", "oracledb"],
        "a database of dayfly, env.sql.NAME, or a client of yours that speaks HTTP",
    ),
    (&["sqlite3", "better-sqlite3", "libsql"], "a database: env.sql.NAME"),
    (&["redis", "ioredis", "memcached"], "a store, env.kv.NAME, or a client that speaks HTTP: npm install @upstash/redis"),
    (&["amqplib", "bullmq", "bull", "kafkajs", "nats", "bee-queue"], "a queue or a stream: env.queue.NAME, env.stream.NAME"),
    (
        &["node-fetch", "got", "request", "superagent", "undici", "needle"],
        "fetch(request), which is global, or a package made of it: npm install ky",
    ),
    (&["form-data", "formidable", "multer", "busboy", "@fastify/busboy"], "FormData, which is global: await request.formData()"),
    (&["ws", "socket.io", "socket.io-client"], "a streamed Response: functions keep no sockets open"),
    (&["nodemailer"], "a mail service that speaks HTTP: npm install resend"),
    (&["twilio", "firebase-admin"], "its REST API, by fetch(url) with the host in the function's `reach`"),
    (&["winston", "bunyan", "log4js", "morgan"], "console.log: each line is kept with its request"),
    (&["dotenv", "dotenv-expand"], "settings in the manifest, env = { NAME = \"…\" }, and secrets: env.secret.NAME"),
    (&["fs-extra", "glob", "rimraf", "graceful-fs", "chokidar"], "a bucket: env.bucket.NAME"),
    (&["mime-types"], "npm install mime"),
    (&["cookie-signature", "cookies", "express-session", "cookie-session"], "npm install hono: hono/cookie signs cookies"),
    (&["eta"], "import { Eta } from \"eta/core\""),
    (&["jsdom"], "npm install htmlparser2, or cheerio"),
    (&["xml2js", "libxmljs"], "npm install fast-xml-parser"),
    (&["node-cron", "cron", "node-schedule", "agenda"], "a schedule in the manifest: on = { cron = \"0 9 * * *\" }"),
    (&["shelljs", "execa", "cross-spawn"], "another function: env.NAME.fetch(request)"),
];

/// What does the work of a package here, if the package is known to need Node.js.
pub(crate) fn of(package: &str) -> Option<&'static str> {
    INSTEAD.iter().find(|(names, _)| names.contains(&package)).map(|(_, instead)| *instead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_package_is_listed_twice() {
        let mut names: Vec<&str> = INSTEAD.iter().flat_map(|(names, _)| names.iter().copied()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert_eq!(of("express"), Some("npm install hono: a router of this kind for `fetch` handlers"));
        assert_eq!(of("hono"), None);
    }
}
