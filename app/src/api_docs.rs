//! `/docs/api`: the description of the API for people. A document of the server, without a script; what stands in it is made
//! from the OpenAPI document.

use leptos::prelude::*;
use rtv_core::Preference;
use rtv_ui::{BareLayout, Card, Disclosure, IconName, LinkButton, PageHeader, Table, Variant};

use crate::page::PRODUCT;
use crate::request::Assets;
use crate::shell::plain_document;

/// Everything that the page shows.
#[derive(Debug, Clone, Default)]
pub struct Docs {
    /// What holds for everything, in paragraphs.
    pub about: Vec<String>,
    /// The operations by what they are about.
    pub groups: Vec<Group>,
    /// The objects.
    pub schemas: Vec<Schema>,
    /// Kinds of problems: name, status, title and why.
    pub problems: Vec<(String, String, String, String)>,
}

/// Operations that are about one thing.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub text: String,
    /// The operations.
    pub operations: Vec<Operation>,
}

/// What can be asked.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Its name for programs.
    pub id: String,
    /// GET, POST, …
    pub method: String,
    /// Its address.
    pub path: String,
    /// What it does.
    pub title: String,
    /// More of that.
    pub text: String,
    /// What it takes beside a body.
    pub parameters: Vec<Parameter>,
    /// Content type and type of its body.
    pub body: Option<(String, (String, Option<String>))>,
    /// What it answers.
    pub answers: Vec<Answer>,
}

/// A parameter.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Where it stands: address, query, header.
    pub place: String,
    /// Its type in words.
    pub kind: String,
    /// Whether it may not be left out.
    pub is_required: bool,
    /// What it means.
    pub text: String,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: String,
    /// When it comes.
    pub text: String,
    /// Type of its body, and the object that this leads to.
    pub body: Option<(String, Option<String>)>,
}

/// An object.
#[derive(Debug, Clone)]
pub struct Schema {
    /// Its name in links.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub text: String,
    /// Its fields.
    pub fields: Vec<Field>,
    /// One such object.
    pub example: Option<String>,
}

/// A field of an object.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type in words.
    pub kind: String,
    /// The object that the type leads to.
    pub link: Option<String>,
    /// Whether it is always there.
    pub is_required: bool,
    /// What it means.
    pub text: String,
}

/// The page.
pub fn document(assets: &Assets, docs: Docs) -> String {
    plain_document(assets, "API", Preference::default(), || view! { <Page docs /> })
}

#[component]
fn Page(docs: Docs) -> impl IntoView {
    let Docs { about, groups, schemas, problems } = docs;
    let about = about.into_iter().skip(1).map(|text| view! { <p>{text}</p> }).collect_view();
    let names: Vec<(String, String)> = groups.iter().map(|group| (anchor(&group.name), group.name.clone())).collect();
    let contents = names
        .into_iter()
        .chain([("objects".to_owned(), "Objects".to_owned()), ("problems".to_owned(), "Problems".to_owned())])
        .map(|(id, name)| view! { <li><a href=format!("#{id}")>{name}</a></li> })
        .collect_view();
    let groups = groups.into_iter().map(|group| view! { <GroupView group /> }).collect_view();
    let schemas = schemas.into_iter().map(|schema| view! { <SchemaView schema /> }).collect_view();
    let actions = view! {
        <LinkButton href="/" variant=Variant::Quiet icon=IconName::ChevronLeft>"Back to the start"</LinkButton>
    }
    .into_any();
    let description = view! {
        <LinkButton href="/api/v1/openapi.json" icon=IconName::External external=true>"OpenAPI document"</LinkButton>
    }
    .into_any();
    view! {
        <BareLayout product=PRODUCT wide=true actions>
            <div class="l-stack" data-gap="5">
                <PageHeader title="API" subtitle="Figures, posts, imports and people of an organisation, for programs." actions=description />
                <nav aria-label="On this page"><ul class="c-api-contents">{contents}</ul></nav>
                <section class="l-stack" data-gap="4" aria-labelledby="everything-title">
                    <h2 class="c-api-group__title" id="everything-title">"What holds for everything"</h2>
                    {about}
                    <pre class="c-api-code" tabindex="0"><code>{EXAMPLE}</code></pre>
                </section>
                {groups}
                <section class="l-stack" data-gap="4" id="objects" aria-labelledby="objects-title">
                    <h2 class="c-api-group__title" id="objects-title">"Objects"</h2>
                    {schemas}
                </section>
                <section class="l-stack" data-gap="4" id="problems" aria-labelledby="problems-title">
                    <h2 class="c-api-group__title" id="problems-title">"Problems"</h2>
                    <Problems problems />
                </section>
            </div>
        </BareLayout>
    }
}

const EXAMPLE: &str =
    "curl -H \"Authorization: Bearer $RTV_KEY\" \\\n  \"https://rtv.example/api/v1/kpis?range=28d&compare=previous\"";

fn anchor(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

#[component]
fn GroupView(group: Group) -> impl IntoView {
    let id = anchor(&group.name);
    let (title, labelled) = (format!("{id}-title"), format!("{id}-title"));
    let operations = group.operations.into_iter().map(|operation| view! { <OperationView operation /> }).collect_view();
    view! {
        <section class="l-stack" data-gap="3" id=id aria-labelledby=labelled>
            <div>
                <h2 class="c-api-group__title" id=title>{group.name}</h2>
                <p class="u-muted">{group.text}</p>
            </div>
            {operations}
        </section>
    }
}

fn type_view(kind: String, link: Option<String>) -> AnyView {
    match link {
        Some(link) => view! { <a href=format!("#object-{link}")>{kind}</a> }.into_any(),
        None => view! { {kind} }.into_any(),
    }
}

#[component]
fn OperationView(operation: Operation) -> impl IntoView {
    let Operation { id, method, path, title, text, parameters, body, answers } = operation;
    let caption = format!("Parameters of {title}");
    let parameters = (!parameters.is_empty()).then(|| {
        let rows = parameters
            .into_iter()
            .map(|one| {
                let need = if one.is_required { "required" } else { "optional" };
                view! {
                    <tr>
                        <th scope="row" data-label="Parameter"><code>{one.name}</code></th>
                        <td data-label="Where">{one.place}", "{need}</td>
                        <td data-label="Type">{one.kind}</td>
                        <td data-label="Meaning">{one.text}</td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <Table caption id=format!("parameters-{id}")>
                <thead>
                    <tr>
                        <th scope="col">"Parameter"</th>
                        <th scope="col">"Where"</th>
                        <th scope="col">"Type"</th>
                        <th scope="col">"Meaning"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        }
    });
    let body = body.map(|(media, (kind, link))| {
        view! { <p>"Body: "{type_view(kind, link)}" as "<code>{media}</code></p> }
    });
    let caption = format!("Answers of {title}");
    let answers_id = format!("answers-{id}");
    let rows = answers
        .into_iter()
        .map(|one| {
            let body = match one.body {
                Some((kind, link)) => type_view(kind, link),
                None => view! { "—" }.into_any(),
            };
            view! {
                <tr>
                    <th scope="row" data-label="Status">{one.status}</th>
                    <td data-label="Body">{body}</td>
                    <td data-label="When">{one.text}</td>
                </tr>
            }
        })
        .collect_view();
    let method_key = method.to_lowercase();
    view! {
        <article class="c-api-operation l-stack" data-gap="3" id=format!("operation-{id}")>
            <h3 class="c-api-operation__title">{title}</h3>
            <p class="c-api-operation__address">
                <span class="c-api-method" data-method=method_key>{method}</span>
                " "
                <code>{path}</code>
            </p>
            <p>{text}</p>
            {body}
            {parameters}
            <Disclosure summary="Answers">
                <Table caption id=answers_id>
                    <thead>
                        <tr>
                            <th scope="col">"Status"</th>
                            <th scope="col">"Body"</th>
                            <th scope="col">"When"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </Table>
            </Disclosure>
        </article>
    }
}

#[component]
fn SchemaView(schema: Schema) -> impl IntoView {
    let caption = format!("Fields of {}", schema.name);
    let rows = schema
        .fields
        .into_iter()
        .map(|field| {
            let need = if field.is_required { "always" } else { "may be left out" };
            view! {
                <tr>
                    <th scope="row" data-label="Field"><code>{field.name}</code></th>
                    <td data-label="Type">{type_view(field.kind, field.link)}</td>
                    <td data-label="There">{need}</td>
                    <td data-label="Meaning">{field.text}</td>
                </tr>
            }
        })
        .collect_view();
    let example = schema.example.map(|example| {
        view! {
            <Disclosure summary="Example">
                <pre class="c-api-code" tabindex="0"><code>{example}</code></pre>
            </Disclosure>
        }
    });
    let id = format!("object-{}", schema.id);
    let table_id = format!("fields-{}", schema.id);
    view! {
        <article class="c-api-operation l-stack" data-gap="3" id=id>
            <h3 class="c-api-operation__title">{schema.name}</h3>
            <p>{schema.text}</p>
            <Table caption id=table_id>
                <thead>
                    <tr>
                        <th scope="col">"Field"</th>
                        <th scope="col">"Type"</th>
                        <th scope="col">"There"</th>
                        <th scope="col">"Meaning"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
            {example}
        </article>
    }
}

#[component]
fn Problems(problems: Vec<(String, String, String, String)>) -> impl IntoView {
    let rows = problems
        .into_iter()
        .map(|(key, status, title, detail)| {
            let id = format!("problem-{key}");
            view! {
                <tr id=id>
                    <th scope="row" data-label="Problem"><code>{key}</code></th>
                    <td data-label="Status">{status}</td>
                    <td data-label="Meaning">{title}<span class="c-table__detail">{detail}</span></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card flush=true>
            <Table caption="Kinds of problems" id="problem-kinds">
                <thead>
                    <tr>
                        <th scope="col">"Problem"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Meaning"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        </Card>
    }
}
