//! Pages of other origins.

use http::Method;

use crate::rig::{Call, Endpoint};

const RULES: &str = "<CORSConfiguration><CORSRule><AllowedOrigin>https://shop.example</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>\
    <AllowedMethod>GET</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>30</MaxAgeSeconds>\
    </CORSRule></CORSConfiguration>";

fn asked(node: &Endpoint, path: &str, origin: &str, method: &str) -> Call {
    let call = node.call(Method::OPTIONS, path).by(None).header("origin", origin).header("access-control-request-method", method);
    call.header("access-control-request-headers", "content-type,x-amz-date")
}

#[tokio::test]
async fn browsers_are_let_in_by_the_rules_of_the_bucket() {
    let node = Endpoint::start().await;
    asked(&node, "/uploads/k", "https://shop.example", "PUT").send().await.fails(403, "AccessForbidden");
    node.get("/uploads?cors").send().await.fails(404, "NoSuchCORSConfiguration");
    node.put("/uploads?cors", RULES).send().await.is(200);
    let link = node.call(Method::PUT, "/uploads/k").link(60);
    for path in ["/uploads/k", &link] {
        let told = asked(&node, path, "https://shop.example", "PUT").send().await.is(200);
        assert_eq!(told.header("access-control-allow-origin"), "https://shop.example");
        assert_eq!(told.header("access-control-allow-headers"), "content-type, x-amz-date");
        assert_eq!(told.header("access-control-max-age"), "30");
    }
    asked(&node, "/uploads/k", "https://other.example", "PUT").send().await.fails(403, "AccessForbidden");
    asked(&node, "/uploads/k", "https://shop.example", "DELETE").send().await.fails(403, "AccessForbidden");
    let put = node.put(&link, "x").by(None).header("origin", "https://shop.example").send().await.is(200);
    assert_eq!(
        (put.header("access-control-allow-origin"), put.header("access-control-expose-headers")),
        ("https://shop.example", "ETag")
    );
    let other = node.get("/uploads/k").header("origin", "https://other.example").send().await.is(200);
    assert_eq!(other.header("access-control-allow-origin"), "");
}
