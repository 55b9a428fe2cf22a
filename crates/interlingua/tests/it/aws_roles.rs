//! Roles that are taken on with other credentials, or with a token that says who a machine is.

use std::collections::BTreeMap;
use std::sync::Arc;

use interlingua::{Client, ErrorKind, KeyStatus};

use crate::aws::{ANSWER, Home, ask, client, env, header, hello, role, url};
use crate::script::{Said, Script};
use crate::server::{Server, answer};

/// What the service says, for an action and an id.
fn taken(action: &str, id: &str) -> String {
    format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <{action}Result>\n    <Credentials>\n      \
         <AccessKeyId>{id}</AccessKeyId>\n      <SecretAccessKey>s3/cret+</SecretAccessKey>\n      \
         <SessionToken>role-token==</SessionToken>\n      <Expiration>2099-01-01T00:00:00Z</Expiration>\n    \
         </Credentials>\n  </{action}Result>\n</{action}Response>"
    )
}

fn assumed(id: &str) -> Said {
    Said::ok(taken("AssumeRole", id))
}

fn form(script: &Script, at: usize) -> BTreeMap<String, String> {
    let text = script.with_sent(at, |request| String::from_utf8(request.body().to_vec()).unwrap());
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn signer(script: &Script, at: usize) -> String {
    header(script, at, "authorization").unwrap()
}

fn of(script: &Arc<Script>, config: &str, profile: &str) -> (Client, Home) {
    let home = Home::new(&[("config", config)]);
    (client(script, home.env(&[("AWS_PROFILE", profile)])), home)
}

const KEYS: &str = "[profile base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = s\n";

#[tokio::test]
async fn a_profile_takes_on_a_role_with_the_key_of_its_source() {
    let config = format!(
        "{KEYS}[profile work]\nregion = eu-west-1\nrole_arn = arn:aws:iam::1:role/work\nsource_profile = base\n\
         role_session_name = me\nexternal_id = x/1\nduration_seconds = 900\n"
    );
    let script = Script::answers([assumed("ASIAWORK"), hello(), hello()]);
    let (client, _home) = of(&script, &config, "work");
    for _ in 0..2 {
        client.send(&ask()).await.unwrap();
    }
    assert_eq!(url(&script, 0), "https://sts.eu-west-1.amazonaws.com/");
    let fields = form(&script, 0);
    let field = |name: &str| fields.get(name).map(String::as_str);
    assert_eq!(field("Action"), Some("AssumeRole"));
    assert_eq!(field("Version"), Some("2011-06-15"));
    assert_eq!(field("RoleArn"), Some("arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fwork"));
    assert_eq!(
        (field("RoleSessionName"), field("ExternalId"), field("DurationSeconds")),
        (Some("me"), Some("x%2F1"), Some("900"))
    );
    let signature = signer(&script, 0);
    assert!(signature.contains("Credential=AKIDBASE/"), "{signature}");
    assert!(
        signature.contains("/eu-west-1/sts/aws4_request, SignedHeaders=content-type;host;"),
        "{signature}"
    );
    assert!(signer(&script, 1).contains("Credential=ASIAWORK/"));
    assert_eq!(header(&script, 2, "x-amz-security-token").as_deref(), Some("role-token=="));
    assert_eq!(script.count(), 3, "the credentials of the role are kept");
}

#[tokio::test]
async fn a_role_is_taken_on_with_those_of_another_role() {
    let config = format!(
        "{KEYS}[profile one]\nrole_arn = arn:one\nsource_profile = base\n\
         [profile two]\nregion = us-east-1\nrole_arn = arn:two\nsource_profile = one\n"
    );
    let script = Script::answers([assumed("ASIAONE"), assumed("ASIATWO"), hello()]);
    let (client, _home) = of(&script, &config, "two");
    client.send(&ask()).await.unwrap();
    assert_eq!(
        (form(&script, 0)["RoleArn"].as_str(), form(&script, 1)["RoleArn"].as_str()),
        ("arn%3Aone", "arn%3Atwo")
    );
    assert!(signer(&script, 0).contains("AKIDBASE") && signer(&script, 1).contains("ASIAONE"));
    assert!(signer(&script, 2).contains("ASIATWO"));
}

#[tokio::test]
async fn a_profile_may_be_its_own_source() {
    let config = "[default]\nregion = cn-north-1\nrole_arn = arn:own\nsource_profile = default\n\
                  aws_access_key_id = AKIDOWN\naws_secret_access_key = s\n";
    let script = Script::answers([assumed("ASIAOWN"), hello()]);
    let (client, _home) = of(&script, config, "default");
    client.send(&ask()).await.unwrap();
    assert_eq!(url(&script, 0), "https://sts.cn-north-1.amazonaws.com.cn/");
    assert!(signer(&script, 0).contains("AKIDOWN") && signer(&script, 1).contains("ASIAOWN"));
}

#[tokio::test]
async fn a_role_is_taken_on_with_credentials_beside_the_files() {
    let config = |place: &str| {
        format!("[profile p]\nregion = eu-west-1\nrole_arn = arn:p\ncredential_source = {place}\n")
    };
    let script = Script::answers([role(3600), assumed("ASIAP"), hello()]);
    let home = Home::new(&[("config", &config("EcsContainer"))]);
    let more = [("AWS_PROFILE", "p"), ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x")];
    client(&script, home.env(&more)).send(&ask()).await.unwrap();
    assert_eq!(url(&script, 0), "http://169.254.170.2/v2/x");
    assert!(signer(&script, 1).contains("ASIAROLE") && signer(&script, 2).contains("ASIAP"));

    let script = Script::answers([]);
    for (place, words) in [
        ("Environment", "AWS_ACCESS_KEY_ID is not set"),
        ("Elsewhere", "the profile `p` has the credential_source `Elsewhere`, which is unknown"),
    ] {
        let (client, _home) = of(&script, &config(place), "p");
        let error = client.send(&ask()).await.unwrap_err();
        assert!(error.message().contains(words), "{error}");
    }
}

#[tokio::test]
async fn a_token_in_a_file_takes_on_a_role() {
    let home = Home::new(&[("token", "web-token\n")]);
    let file = home.0.join(".aws/token").to_string_lossy().into_owned();
    let more = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", file.as_str()),
        ("AWS_ROLE_ARN", "arn:pod"),
        ("AWS_ROLE_SESSION_NAME", "pod-1"),
    ];
    let script = Script::answers([Said::ok(taken("AssumeRoleWithWebIdentity", "ASIAPOD")), hello()]);
    let pod = client(&script, home.env(&more));
    assert_eq!(
        pod.key_status("bedrock"),
        KeyStatus::Present { from: "env AWS_WEB_IDENTITY_TOKEN_FILE".to_owned() }
    );
    pod.send(&ask()).await.unwrap();
    let fields = form(&script, 0);
    assert_eq!(fields["Action"], "AssumeRoleWithWebIdentity");
    assert_eq!(
        (fields["WebIdentityToken"].as_str(), fields["RoleSessionName"].as_str()),
        ("web-token", "pod-1")
    );
    assert_eq!(header(&script, 0, "authorization"), None, "the token is the proof");
    assert!(signer(&script, 1).contains("ASIAPOD"));

    // The same out of a profile.
    let config =
        format!("[profile w]\nregion = eu-west-1\nrole_arn = arn:w\nweb_identity_token_file = {file}\n");
    let script = Script::answers([Said::ok(taken("AssumeRoleWithWebIdentity", "ASIAW")), hello()]);
    let (client, _home) = of(&script, &config, "w");
    client.send(&ask()).await.unwrap();
    assert!(signer(&script, 1).contains("ASIAW"));
}

#[tokio::test]
async fn a_role_that_is_not_given_is_told_without_secrets() {
    let denied = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>s3cret-word</Message></Error></ErrorResponse>";
    let config = format!("{KEYS}[profile p]\nregion = eu-west-1\nrole_arn = arn:p\nsource_profile = base\n");
    for (said, words) in [
        (Said::status(403, denied), "takes on a role that is not given: AccessDenied (403 Forbidden)"),
        (Said::ok("<html>s3cret-word</html>"), "whose answer holds no credentials"),
    ] {
        let script = Script::answers([said]);
        let (client, _home) = of(&script, &config, "p");
        let error = client.send(&ask()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Authentication);
        assert!(error.message().contains(words), "{error}");
        assert!(!format!("{error:?}").contains("s3cret-word"), "{error:?}");
    }
}

#[tokio::test]
async fn a_role_that_cannot_be_taken_on_says_why() {
    let script = Script::answers([]);
    for (config, words) in [
        ("[profile p]\nregion = r\nrole_arn = a\n", "give it either source_profile or credential_source"),
        ("[profile p]\nregion = r\nrole_arn = a\nsource_profile = gone\n", "there is no profile `gone`"),
        ("[profile p]\nregion = r\nrole_arn = a\nsource_profile = p\n", "the profile `p` is its own source"),
        (
            "[profile p]\nregion = r\nrole_arn = a\nsource_profile = q\n[profile q]\nrole_arn = b\nsource_profile = p\n",
            "is its own source",
        ),
        (
            "[profile p]\nregion = r\nrole_arn = a\nsource_profile = q\nmfa_serial = m\n[profile q]\naws_access_key_id = a\naws_secret_access_key = s\n",
            "wants a code of a device (mfa_serial)",
        ),
        (
            "[profile p]\nregion = r\nrole_arn = a\nweb_identity_token_file = /gone/token\n",
            "takes on a role that has a token in /gone/token",
        ),
    ] {
        let (client, _home) = of(&script, config, "p");
        let error = client.send(&ask()).await.unwrap_err();
        assert!(error.message().contains(words), "{words}: {error}");
    }
    let pod = [("AWS_REGION", "eu-west-1"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t")];
    let error = client(&script, env(pod)).send(&ask()).await.unwrap_err();
    assert!(error.message().contains("set AWS_ROLE_ARN"), "{error}");
    assert_eq!(script.count(), 0);
}

#[tokio::test]
async fn the_service_may_stand_elsewhere_but_not_in_the_open() {
    let server = Server::start(|number| {
        let said = if number == 0 { taken("AssumeRole", "ASIALOCAL") } else { ANSWER.to_owned() };
        answer("200 OK", "", &said)
    })
    .await;
    let config = format!("{KEYS}[profile p]\nregion = eu-west-1\nrole_arn = arn:p\nsource_profile = base\n");
    let home = Home::new(&[("config", &config)]);
    let more = |address: &str| home.env(&[("AWS_PROFILE", "p"), ("AWS_ENDPOINT_URL_STS", address)]);
    let script = Script::answers([]);
    let error = client(&script, more("http://sts.evil.test")).send(&ask()).await.unwrap_err();
    assert!(error.message().contains("at sts.evil.test without TLS"), "{error}");

    let mut variables = more(&server.url());
    variables.insert("AWS_ENDPOINT_URL_BEDROCK_RUNTIME".to_owned(), server.url());
    let real = Client::builder().env(move |name| variables.get(name).cloned()).build().unwrap();
    assert_eq!(real.send(&ask()).await.unwrap().text(), "Hello.");
    let received = server.received();
    assert!(received[0].body.starts_with("Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Ap&"));
    assert!(received[0].header("authorization").unwrap().contains("/eu-west-1/sts/aws4_request"));
    assert!(received[1].header("authorization").unwrap().contains("Credential=ASIALOCAL/"));
}
