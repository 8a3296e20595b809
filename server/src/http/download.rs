//! Files that the browser keeps instead of showing them.

use axum::body::Body;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderValue, Method, header};
use rtv_core::Error;

use crate::middleware::shield::error_page;
use crate::state::AppState;

/// Kind of a CSV file.
pub const CSV: &str = "text/csv; charset=utf-8";

/// A file under a name of ours or of the person's, whatever stands in it.
pub fn file(body: Body, name: &str, kind: &'static str) -> Response {
    let plain: String = name
        .chars()
        .map(
            |letter| {
                if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | ' ') { letter } else { '_' }
            },
        )
        .collect();
    let escaped: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20");
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{escaped}")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// In place of a file that is refused.
pub fn refuse(state: &AppState, asked: &app::request::Request, error: Error) -> Response {
    let to = match &error {
        Error::SignedOut | Error::SessionIdle => asked.sign_in_address(),
        Error::SecondFactorMissing => asked.leading_back(app::second_factor::PATH),
        Error::NotFresh => asked.leading_back(app::confirmation::PATH),
        _ => return error_page(state, error, &asked.context.request().id, &Method::GET),
    };
    Redirect::to(&to).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_offered_under_its_name_whatever_stands_in_it() {
        let name = |name: &str| {
            file(Body::empty(), name, CSV).headers()[header::CONTENT_DISPOSITION].to_str().unwrap().to_owned()
        };
        assert_eq!(
            name("posts-refused.csv"),
            "attachment; filename=\"posts-refused.csv\"; filename*=UTF-8''posts-refused.csv"
        );
        assert_eq!(name("Ä \"1\".csv"), "attachment; filename=\"_ _1_.csv\"; filename*=UTF-8''%C3%84%20%221%22.csv");
    }
}
