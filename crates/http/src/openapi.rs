//! The OpenAPI 3.1 document, derived from the route table and the types of its handlers.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use latchkey_api_types::input::Input;
use latchkey_api_types::{AccessType, ErrorCode};
use latchkey_identity::Failure;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::call::OpenCall;
use crate::failure;
use crate::reply::{Reply, Response};
use crate::route::{RateClass, Route};
use crate::seam::Application;

/// What the types of a handler say about an operation.
pub struct Declaration<'a> {
    generator: &'a mut SchemaGenerator,
    operation: &'a mut Operation,
}

#[derive(Default)]
struct Operation {
    parameters: Vec<Value>,
    bodies: Vec<Value>,
    answers: BTreeMap<u16, Answer>,
}

#[derive(Default)]
struct Answer {
    media_type: Option<&'static str>,
    schemas: Vec<Value>,
}

fn add(schemas: &mut Vec<Value>, schema: Schema) {
    let schema = schema.to_value();
    if !schemas.contains(&schema) {
        schemas.push(schema);
    }
}

impl Declaration<'_> {
    /// The properties of `T` are parameters in the `path` or the `query`.
    pub(crate) fn parameters<T: Input>(&mut self, place: &str) {
        let schema = T::json_schema(self.generator).to_value();
        let required =
            |name: &str| schema["required"].as_array().is_some_and(|all| all.contains(&name.into()));
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let mut property = property.clone();
            let mut parameter = json!({ "name": name, "in": place });
            if required(name) || place == "path" {
                parameter["required"] = true.into();
            }
            if let Some(text) = property.as_object_mut().and_then(|object| object.remove("description")) {
                parameter["description"] = text;
            }
            parameter["schema"] = property;
            self.parameter(parameter);
        }
    }

    /// A header that this operation reads.
    pub(crate) fn header(&mut self, name: &str, required: bool, description: &str) {
        self.parameter(json!({
            "name": name, "in": "header", "required": required, "description": description,
            "schema": { "type": "string" },
        }));
    }

    fn parameter(&mut self, parameter: Value) {
        if !self.operation.parameters.contains(&parameter) {
            self.operation.parameters.push(parameter);
        }
    }

    /// The body.
    pub(crate) fn body<T: Input>(&mut self) {
        add(&mut self.operation.bodies, T::schema(self.generator));
    }

    /// A JSON answer.
    pub(crate) fn answer<T: JsonSchema>(&mut self, status: u16) {
        let schema = self.generator.subschema_for::<T>();
        let answer = self.operation.answers.entry(status).or_default();
        answer.media_type = Some("application/json");
        add(&mut answer.schemas, schema);
    }

    /// A plain-text answer.
    pub(crate) fn text_answer(&mut self) {
        let answer = self.operation.answers.entry(200).or_default();
        answer.media_type = Some("text/plain");
        answer.schemas = vec![json!({ "type": "string" })];
    }

    /// An answer that is a page for people.
    pub(crate) fn page_answer(&mut self) {
        self.text_answer();
        self.operation.answers.entry(200).or_default().media_type = Some("text/html");
    }

    /// An answer of bytes.
    pub(crate) fn binary_answer(&mut self, media_type: &'static str) {
        let answer = self.operation.answers.entry(200).or_default();
        answer.media_type = Some(media_type);
        answer.schemas = vec![json!({ "type": "string", "format": "binary" })];
    }

    /// An answer without a body.
    pub(crate) fn empty_answer(&mut self, status: u16) {
        self.operation.answers.entry(status).or_default();
    }

    /// A redirect.
    pub(crate) fn redirect(&mut self) {
        self.operation.answers.entry(307).or_default();
    }
}

/// What the document says of a route: the row of the table without its handlers.
struct Row {
    method: Method,
    path: &'static str,
    summary: &'static str,
    rate: RateClass,
    errors: Vec<ErrorCode>,
    access: Vec<AccessType>,
    declare: Vec<fn(&mut Declaration<'_>)>,
}

impl<A: Application> From<&Route<A>> for Row {
    fn from(route: &Route<A>) -> Self {
        Self {
            method: route.method.clone(),
            path: route.path,
            summary: route.summary,
            rate: route.rate,
            errors: route.errors.clone(),
            access: route.access(),
            declare: route.variants.iter().map(|variant| variant.declare).collect(),
        }
    }
}

/// The routes, and one more that serves the document about all of them. It is written when it is asked for first:
/// most servers are never asked, and a server at rest is to be small.
pub fn with_document<A: Application>(mut routes: Vec<Route<A>>) -> Vec<Route<A>> {
    let rows = Arc::new(OnceLock::<Vec<Row>>::new());
    let (described, text) = (Arc::clone(&rows), Arc::new(OnceLock::<Bytes>::new()));
    routes.push(Route::get("/openapi.json", "Read this document").open(move |_: OpenCall<A>| {
        let write = || write(described.get().map_or(&[], Vec::as_slice)).to_string().into();
        let text = text.get_or_init(write).clone();
        async move { Ok(Document(text)) }
    }));
    rows.get_or_init(|| routes.iter().map(Row::from).collect());
    routes
}

/// The document, as it was written once.
struct Document(Bytes);

impl Reply for Document {
    fn render(self, _: bool) -> Result<Response, Failure> {
        let mut response = Response::new(self.0.into());
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, json);
        Ok(response)
    }

    fn declare(declaration: &mut Declaration<'_>) {
        declaration.answer::<Value>(200);
    }
}

/// The document for these routes.
pub fn document<A: Application>(routes: &[Route<A>]) -> Value {
    write(&routes.iter().map(Row::from).collect::<Vec<_>>())
}

fn write(rows: &[Row]) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let settings = settings.with(|settings| settings.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for row in rows {
        let operation = operation(row, &mut generator);
        // OpenAPI has no catch-all parameters.
        let path = row.path.replace("{*", "{");
        paths.entry(path).or_default().insert(row.method.as_str().to_lowercase(), operation);
    }
    let mut schemas = generator.take_definitions(true);
    schemas.insert("KnownError".to_owned(), known_error_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Latchkey",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Authentication and identity. Every request names its project and its access type.",
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "servers": [{ "url": "/api/v1" }],
        "paths": paths,
        "components": { "schemas": schemas, "securitySchemes": security_schemes() },
    })
}

fn operation(row: &Row, generator: &mut SchemaGenerator) -> Value {
    let mut declared = Operation::default();
    for declare in &row.declare {
        declare(&mut Declaration { generator, operation: &mut declared });
    }
    for name in parameter_names(row.path) {
        if declared.parameters.iter().all(|parameter| parameter["name"] != name) {
            let schema = json!({ "type": "string" });
            declared
                .parameters
                .push(json!({ "name": name, "in": "path", "required": true, "schema": schema }));
        }
    }
    // Parameters of the path in the order of the path, before all others.
    let place = |name: &Value| parameter_names(row.path).position(|other| name == other);
    declared.parameters.sort_by_key(|parameter| place(&parameter["name"]).unwrap_or(usize::MAX));
    let mut responses: BTreeMap<String, Value> = BTreeMap::new();
    for (status, answer) in declared.answers {
        let mut response = json!({ "description": if status == 307 { "A redirect." } else { "Success." } });
        if let Some(media_type) = answer.media_type {
            response["content"] = json!({ media_type: { "schema": any_of(answer.schemas) } });
        }
        responses.insert(status.to_string(), response);
    }
    let access = &row.access;
    let common = if access.is_empty() { &failure::COMMON[..1] } else { failure::COMMON };
    let mut errors: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for code in common.iter().chain(&row.errors) {
        errors.entry(code.status()).or_default().push(format!("`{code}`"));
    }
    for (status, codes) in errors {
        let schema = json!({ "$ref": "#/components/schemas/KnownError" });
        let response = json!({
            "description": codes.join(", "),
            "content": { "application/json": { "schema": schema } },
        });
        responses.insert(status.to_string(), response);
    }
    let mut operation = json!({
        "operationId": operation_id(row.method.as_str(), row.path),
        "summary": row.summary,
        "tags": [tag(row.path)],
        "security": security(access),
        "responses": responses,
        "x-latchkey-access": access,
        "x-latchkey-rate": row.rate.as_str(),
    });
    if !declared.parameters.is_empty() {
        operation["parameters"] = declared.parameters.into();
    }
    if !declared.bodies.is_empty() {
        let content = json!({ "application/json": { "schema": any_of(declared.bodies) } });
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    operation
}

/// The names in a pattern like `/users/{user_id}/{*rest}`.
fn parameter_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| name.trim_start_matches('*'))
}

fn any_of(mut schemas: Vec<Value>) -> Value {
    if schemas.len() == 1 { schemas.remove(0) } else { json!({ "anyOf": schemas }) }
}

fn tag(path: &str) -> &str {
    path.split('/').find(|segment| !segment.is_empty() && !segment.starts_with('{')).unwrap_or("general")
}

fn operation_id(method: &str, path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    std::iter::once(method.to_lowercase().as_str()).chain(words).collect::<Vec<_>>().join("_")
}

fn known_error_schema() -> Value {
    json!({
        "type": "object",
        "required": ["code", "error"],
        "properties": {
            "code": { "type": "string", "description": "Equal to the header `x-stack-known-error`." },
            "error": { "type": "string", "description": "A sentence for a human reader." },
            "details": { "type": "object", "description": "Present if the code defines it." },
        },
    })
}

const KEYS: [(&str, &str, &str); 5] = [
    ("projectId", "x-stack-project-id", "The project: a UUID, or `internal`."),
    ("accessType", "x-stack-access-type", "`client`, `server` or `admin`."),
    (
        "publishableClientKey",
        "x-stack-publishable-client-key",
        "`pck_…`; optional unless the project requires it.",
    ),
    ("secretServerKey", "x-stack-secret-server-key", "`ssk_…`, for the access type `server`."),
    ("superSecretAdminKey", "x-stack-super-secret-admin-key", "`sak_…`, for the access type `admin`."),
];

fn security_schemes() -> Map<String, Value> {
    let key = |(id, name, text): &(&str, &str, &str)| {
        ((*id).to_owned(), json!({ "type": "apiKey", "in": "header", "name": name, "description": text }))
    };
    KEYS.iter().map(key).collect()
}

fn security(access: &[AccessType]) -> Vec<Value> {
    let scheme = |access: &AccessType| match access {
        AccessType::Client => json!({ "projectId": [], "accessType": [], "publishableClientKey": [] }),
        AccessType::Server => json!({ "projectId": [], "accessType": [], "secretServerKey": [] }),
        AccessType::Admin => json!({ "projectId": [], "accessType": [], "superSecretAdminKey": [] }),
    };
    access.iter().map(scheme).collect()
}
