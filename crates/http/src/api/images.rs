//! Pictures that were sent inline, served to everybody.

use axum::body::Body;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Response as HttpResponse};
use latchkey_api_types::image::ImagePath;
use latchkey_identity::Failure;
use latchkey_identity::images::{self, Image};

use crate::call::OpenCall;
use crate::extract::Path;
use crate::openapi::Declaration;
use crate::reply::{Reply, Response};
use crate::route::Route;

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/images/{project_id}/{folder}/{file}", "Read a picture").open(get)]
}

async fn get(call: OpenCall, Path(path): Path<ImagePath>) -> Result<Picture, Failure> {
    images::get(&call.app, path).await.map(Picture)
}

/// A picture. Another picture has another address, so that caches may keep it for good; and even if a browser took its
/// bytes for a document, the policy lets it do nothing.
struct Picture(Image);

impl Reply for Picture {
    fn render(self, _: bool) -> Result<Response, Failure> {
        let mut response = HttpResponse::new(Body::from(self.0.bytes));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.0.format.media_type()));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
        let policy = HeaderName::from_static("cross-origin-resource-policy");
        headers.insert(policy, HeaderValue::from_static("cross-origin"));
        Ok(response)
    }

    fn declare(declaration: &mut Declaration<'_>) {
        declaration.binary_answer("image/*");
    }
}
