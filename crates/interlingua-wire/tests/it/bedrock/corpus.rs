//! Recorded traffic of the service.

use interlingua_model::{FunctionTool, Json, Request, Response};
use interlingua_wire::Mode;
use interlingua_wire::schema::for_anthropic;

use super::{claude, codec};
use crate::recorded::{Answers, Recorded, Requests, alike, rewrite};

const RECORDINGS: Recorded<'_> = Recorded { folder: "bedrock-converse", list: "bedrock", prefix: "" };

/// An answer without what has to be made up for a client.
fn canonical(mut response: Response) -> Response {
    let usage = &mut response.usage;
    (usage.input, usage.output) = (usage.input.or(Some(0)), usage.output.or(Some(0)));
    let finish = response.finish.as_mut().unwrap();
    if finish.extra.get("bedrock", "metrics").is_none() {
        finish.extra.set("bedrock", "metrics", Json::from_text("{\"latencyMs\":0}"));
    }
    response
}

/// Requests of other clients that the service would refuse are made ones that it takes.
fn mend(request: &mut Request) {
    let has_calls = format!("{:?}", request.messages).contains("ToolCall(");
    if request.tools.is_empty() && has_calls {
        request.tools.push(FunctionTool::new("x", "y", Json::object()).into());
    }
}

#[test]
fn recorded_answers() {
    RECORDINGS.answers(&Answers {
        reader: &codec(),
        server: &codec(),
        modes: &[Mode::Stream, Mode::Whole],
        stride: 97,
        compare: &alike(canonical),
    });
}

#[test]
fn recorded_requests() {
    Recorded { prefix: "request of ", ..RECORDINGS }.requests(&Requests {
        codec: &|_| Some(Box::new(claude())),
        path: &|path| {
            path.filter(|path| path.contains("/converse")).unwrap_or("/model/m/converse").to_owned()
        },
        mend: &mend,
        plain: &|request| rewrite(request, for_anthropic),
    });
}
