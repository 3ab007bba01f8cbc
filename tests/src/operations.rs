//! The operations that the server declares in its OpenAPI document.

use latchkey_testkit::TestServer;
use serde_json::{Map, Value};

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// `GET`, `POST` and so on.
    pub method: String,
    /// Path below the version, with parameters as `{name}`.
    pub path: String,
    /// Access types that may call it; empty if it is open to everybody.
    pub access: Vec<String>,
    /// What the document says about it.
    pub declaration: Value,
    /// The whole document, for references.
    document: Value,
    /// The project of the server.
    project_id: String,
}

/// Every operation of the served document.
pub async fn all(server: &TestServer) -> Vec<Operation> {
    let document = server.get("/openapi.json").send().await.expect(200);
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, declaration) in methods.as_object().expect("operations") {
            let access = declaration["x-latchkey-access"].as_array().expect("access types");
            operations.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                access: access.iter().map(|word| word.as_str().expect("a word").to_owned()).collect(),
                declaration: declaration.clone(),
                document: document.clone(),
                project_id: server.project_id().to_owned(),
            });
        }
    }
    assert!(operations.len() > 10, "the document lists the API");
    operations
}

/// Every operation but the one that deletes the project, after which there would be nothing to go on with.
pub async fn lasting(server: &TestServer) -> Vec<Operation> {
    let mut operations = all(server).await;
    operations.retain(|operation| {
        (operation.method.as_str(), operation.path.as_str()) != ("DELETE", "/internal/projects/current")
    });
    operations
}

impl Operation {
    /// The path with every parameter replaced by `value`.
    pub fn path_with(&self, value: &str) -> String {
        let mut path = String::new();
        let mut rest = self.path.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            path.push_str(before);
            path.push_str(value);
            rest = after.split_once('}').expect("a closed parameter").1;
        }
        path.push_str(rest);
        path
    }

    /// The same, but with the server's project where the path names one.
    pub fn path_in_project(&self, value: &str) -> String {
        let path = self.path.replace("{project_id}", &self.project_id);
        Self { path, ..self.clone() }.path_with(value)
    }

    /// The names of parameters in `place` (`path`, `query`, `header`) that are required.
    pub fn required(&self, place: &str) -> Vec<String> {
        let parameters = self.declaration["parameters"].as_array().cloned().unwrap_or_default();
        parameters
            .iter()
            .filter(|parameter| parameter["in"] == place && parameter["required"] == true)
            .map(|parameter| parameter["name"].as_str().expect("a name").to_owned())
            .collect()
    }

    /// Whether it reads this parameter in `place`, required or not.
    pub fn reads(&self, place: &str, name: &str) -> bool {
        let parameters = self.declaration["parameters"].as_array().cloned().unwrap_or_default();
        parameters.iter().any(|parameter| parameter["in"] == place && parameter["name"] == name)
    }

    /// Whether it reads a body.
    pub fn has_body(&self) -> bool {
        self.declaration.get("requestBody").is_some()
    }

    /// The schemas of its bodies, one per form, with references resolved.
    pub fn bodies(&self) -> Vec<Map<String, Value>> {
        let schema = &self.declaration["requestBody"]["content"]["application/json"]["schema"];
        let forms = schema["anyOf"].as_array().cloned().unwrap_or_else(|| vec![schema.clone()]);
        forms.iter().filter(|form| !form.is_null()).map(|form| self.resolve(form)).collect()
    }

    fn resolve(&self, schema: &Value) -> Map<String, Value> {
        let resolved = match schema["$ref"].as_str() {
            Some(reference) => {
                self.document.pointer(reference.trim_start_matches('#')).expect("a definition")
            }
            None => schema,
        };
        // A schema may also be `true`: any JSON.
        resolved.as_object().cloned().unwrap_or_default()
    }
}
