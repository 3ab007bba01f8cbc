//! The root of the API: a banner that says who the caller is to the server.

use latchkey_identity::Failure;

use crate::call::OpenCall;
use crate::extract::Query;
use crate::reply::Text;
use crate::route::Route;
use crate::seam::Application;

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![row()]
}

/// Needs nothing of the application, and so serves the tests of the protocol as well.
pub(crate) fn row<A: Application>() -> Route<A> {
    Route::get("/", "Check the connection and the keys").open(banner)
}

async fn banner<A: Application>(call: OpenCall<A>, Query(()): Query<()>) -> Result<Text, Failure> {
    let caller = match &call.auth {
        None => "Access type: none. Send x-stack-access-type and a key to be recognised.".to_owned(),
        Some(auth) => {
            let user = A::user(auth).unwrap_or_else(|| "nobody is signed in".to_owned());
            format!("Access type: {}\nProject: {}\nUser: {user}", A::access(auth), A::project(auth))
        }
    };
    Ok(Text(format!("Welcome to Latchkey, an authentication server.\n\n{caller}\n")))
}
