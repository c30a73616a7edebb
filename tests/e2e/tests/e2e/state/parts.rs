//! Whose entries are reached.

use serde_json::{Value, json};

use super::{Attacked, code, config, done, set};

/// Somebody else than the local caller: whoever comes through a proxy, where the operator lets anybody in.
async fn as_anybody(attacked: &Attacked, acts: Value) -> Vec<Value> {
    let anybody = attacked.client().that_says("x-forwarded-for", "203.0.113.7");
    done(anybody.call("act", json!({ "bucket": "keyvalue.own", "acts": acts })).await.structured())
}

/// Every way that somebody thought of to get out of one's part.
const ELSEWHERE: [&str; 14] = [
    "local/secret",
    "/secret",
    "../secret",
    "../local/secret",
    "..%2flocal%2fsecret",
    "%00",
    "anybody/../local/secret",
    "keyvalue.own/local/secret",
    "hostile-state/own/local/secret",
    "*",
    "+",
    "#",
    "~",
    "\u{202e}terces",
];

#[tokio::test]
async fn no_key_or_prefix_reaches_another_callers_part() {
    let config = format!("{}\n", config("", ""));
    let attacked = Attacked::serving(&config, &["--i-know-that-nobody-authenticates"]);
    let mine = attacked.acts("keyvalue.own", json!([set("secret", "local's"), set("a/b", "local's")])).await;
    assert!(mine.iter().all(|written| written.is_u64()), "{mine:?}");

    for key in ELSEWHERE.into_iter().chain(["secret", "a/b"]) {
        let told = as_anybody(&attacked, json!([{ "get": key }, { "delete": key }])).await;
        assert_eq!(told[0], Value::Null, "{key:?}: {told:?}");
        assert_eq!(told[1], json!(false), "{key:?}: {told:?}");
    }
    for (prefix, back) in ELSEWHERE.into_iter().chain(["", "s", "a"]).flat_map(|p| [(p, false), (p, true)]) {
        for behind in [None, Some("!"), Some("zzzz"), Some("local/secret")] {
            let mut list = json!({ "prefix": prefix, "limit": 1000, "back": back });
            if let Some(behind) = behind {
                list["behind"] = json!(behind);
            }
            let told = as_anybody(&attacked, json!([{ "list": list }])).await;
            assert_eq!(told[0]["entries"], json!([]), "{prefix:?} {behind:?}: {told:?}");
        }
    }
    // What they write beside it is theirs.
    let written = as_anybody(&attacked, json!([set("local/secret", "x"), set("secret", "anybody's")])).await;
    assert!(written.iter().all(|written| written.is_u64()), "{written:?}");
    let still = attacked.acts("keyvalue.own", json!([{ "get": "secret" }, { "get": "local/secret" }])).await;
    assert_eq!((&still[0]["value"], &still[1]), (&json!("local's"), &Value::Null));
    let list = json!([{ "list": { "limit": 1000 } }]);
    assert_eq!(attacked.acts("keyvalue.own", list).await[0]["entries"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn keys_that_are_none_are_refused_and_nothing_is_written() {
    let attacked = Attacked::new("", "");
    for key in ["", "a\u{0}b", "a\nb", "\u{7f}", "\u{85}", &"k".repeat(257), &"é".repeat(129)] {
        let acts = json!([
            set(key, "x"), { "get": key }, { "delete": key }, { "increment": [key, 1] },
            { "swap": { "key": key, "value": "x" } }, { "batch": [{ "key": key, "value": "x" }] },
        ]);
        for told in attacked.acts("keyvalue.shared", acts).await {
            assert_eq!(code(&told), Some("invalid"), "{key:?}: {told}");
        }
    }
    for limit in [0, 1_001, u32::MAX] {
        let told = attacked.acts("keyvalue.shared", json!([{ "list": { "limit": limit } }])).await;
        assert_eq!(code(&told[0]), Some("invalid"), "{limit}: {told:?}");
    }
    let all = attacked.acts("keyvalue.shared", json!([{ "list": { "limit": 10 } }])).await;
    assert_eq!(all[0]["entries"], json!([]));
}

#[tokio::test]
async fn buckets_that_were_not_granted_are_refused_and_the_reference_tells_the_operator_why() {
    let attacked = Attacked::new("", "");
    for bucket in
        ["keyvalue.never", "keyvalue.unheard", "keyvalue", "own", "mqtt.broker", "keyvalue.own/x", ""]
    {
        let arguments = json!({ "bucket": bucket, "acts": [set("a", "x")] });
        let answer = attacked.client().call("act", arguments).await;
        let told = answer.structured();
        assert_eq!(code(told), Some("denied"), "{bucket}: {told}");
        assert_eq!(told["error"]["message"], "this is not granted");
        let why = attacked.why(&answer);
        assert!(why.contains("refused: ") && why.contains(bucket), "{why}");
    }
    let arguments = json!({ "bucket": "keyvalue.never", "acts": [] });
    let why = attacked.why(&attacked.client().call("act", arguments).await);
    assert!(why.contains("plugins.hostile-state.grant.keyvalue.never"), "{why}");
}

#[tokio::test]
async fn a_read_only_tool_changes_nothing_that_is_remembered_beyond_its_reach() {
    let attacked = Attacked::new("", "");
    attacked.acts("keyvalue.own", json!([set("n", "1")])).await;
    attacked.acts("keyvalue.shared", json!([set("n", "1")])).await;
    let writes = json!([
        set("n", "2"), { "delete": "n" }, { "increment": ["n", 1] }, { "swap": { "key": "n", "value": "2" } },
        { "batch": [{ "key": "n", "value": "2" }] }, { "delete-all": ["n"] }, { "delete": "not there" },
    ]);
    for (tool, bucket) in [
        ("act_read_only", "keyvalue.own"),
        ("act_read_only", "keyvalue.shared"),
        ("act_within_reach", "keyvalue.own"),
    ] {
        let answer = attacked.client().call(tool, json!({ "bucket": bucket, "acts": writes })).await;
        for told in done(answer.structured()) {
            assert_eq!(code(&told), Some("denied"), "{tool} {bucket}: {told}");
        }
        let why = attacked.why(&answer);
        assert!(why.contains("read-only") && why.contains(bucket), "{why}");
        let read = attacked.client().call(tool, json!({ "bucket": bucket, "acts": [{ "get": "n" }] })).await;
        assert_eq!(done(read.structured())[0]["value"], "1", "{tool} {bucket}");
    }
    let within = json!({ "bucket": "keyvalue.shared", "acts": [{ "increment": ["n", 1] }] });
    let answer = attacked.client().call("act_within_reach", within).await;
    assert_eq!(done(answer.structured())[0], json!(2));
}

#[tokio::test]
async fn each_binding_of_a_plugin_remembers_for_itself() {
    let other = "[plugins.other]\nuse = \"hostile-state\"\n[plugins.other.grant.keyvalue.own]\n\
                 [plugins.other.grant.keyvalue.shared]\n";
    let attacked = Attacked::serving(&format!("{}\n{other}", config("", "")), &[]);
    for bucket in ["keyvalue.own", "keyvalue.shared"] {
        attacked.acts(bucket, json!([set("a", "first")])).await;
        let there = json!({ "bucket": bucket, "acts": [{ "get": "a" }, { "list": { "limit": 10 } }] });
        let told = done(attacked.server.client_of("other").call("act", there).await.structured());
        assert_eq!((&told[0], &told[1]["entries"]), (&Value::Null, &json!([])), "{bucket}");
    }
}
