use proptest::prelude::*;

use super::*;
use crate::origin::OriginId;

fn round(text: &str) -> String {
    compact(&parse(text.as_bytes(), Limits::default()).unwrap(), NodeId::ROOT)
}

#[test]
fn keeps_what_typed_models_lose() {
    for text in [
        r#"{"valueQuantity":{"value":"5.0"},"unknown":[1.50,-0,1e2,1E+2]}"#,
        r#"{"birthDate":"1980","_birthDate":{"extension":[{"url":"x","valueString":"y"}]},"given":["a",null]}"#,
        r#"{"value":0.10000000000000000000000001,"big":123456789012345678901234567890}"#,
        "[]",
        r#""\"\\\n\u0001""#,
    ] {
        assert_eq!(round(text), text);
    }
}

#[test]
fn unescapes() {
    assert_eq!(round(r#""\u5f20\u4f1f\ud83d\ude00\/""#), "\"张伟😀/\"");
}

#[test]
fn errors_name_the_place() {
    let text = "{\n \"entry\": [\n  {\"a\": 1},\n  {\"b\": tru}\n ]\n}";
    let error = parse(text.as_bytes(), Limits::default()).unwrap_err();
    assert_eq!(
        (error.line, error.column, error.path.as_str()),
        (4, 9, "$this.entry[1].b")
    );
}

#[test]
fn refuses_what_is_not_json() {
    for text in [
        "",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "01",
        "1.",
        "+1",
        "nul",
        "\"\t\"",
        "\"\\ud800\"",
        "{\"a\":1,\"a\":2}",
        "1 2",
    ] {
        assert!(parse(text.as_bytes(), Limits::default()).is_err(), "{text}");
    }
    let deep = "[".repeat(65) + &"]".repeat(65);
    assert_eq!(
        parse(deep.as_bytes(), Limits::default()).unwrap_err().reason,
        "deeper than the limit"
    );
}

#[test]
fn many_members_are_read_and_a_late_twin_is_found() {
    let members: Vec<String> = (0..100_000).map(|number| format!("\"m{number}\":1")).collect();
    let text = format!("{{{}}}", members.join(","));
    assert_eq!(round(&text), text);
    let twin = format!("{{{},\"m7\":2}}", members.join(","));
    let error = parse(twin.as_bytes(), Limits::default()).unwrap_err();
    assert_eq!(error.reason, "a name stands twice in an object");
}

#[test]
fn names_nodes_by_path() {
    let text =
        r#"{"resourceType":"Bundle","entry":[{},{"resource":{"resourceType":"Observation","code":{"text":"K"}}}]}"#;
    let tree = parse(text.as_bytes(), Limits::default()).unwrap();
    let node = *tree
        .select(NodeId::ROOT, &["entry", "resource", "code", "text"])
        .first()
        .unwrap();
    assert_eq!(tree.path(node), "Bundle.entry[1].resource.code.text");
}

#[test]
fn members_can_be_added_late() {
    let mut tree = Tree::new(Value::Object);
    let name = tree.member(NodeId::ROOT, "name", Value::Array, OriginId::GENERATED);
    tree.member(NodeId::ROOT, "active", Value::Bool(true), OriginId::GENERATED);
    tree.item(name, Value::String("李"), OriginId::GENERATED);
    assert_eq!(compact(&tree, NodeId::ROOT), r#"{"name":["李"],"active":true}"#);
    assert_eq!(
        pretty(&tree, NodeId::ROOT),
        "{\n  \"name\": [\n    \"李\"\n  ],\n  \"active\": true\n}"
    );
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
            prop::collection::btree_map(any::<String>(), inner, 0..8)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn reads_what_another_writer_wrote(value in json()) {
        let text = serde_json::to_string(&value).unwrap();
        let tree = parse(text.as_bytes(), Limits::default()).unwrap();
        let back: serde_json::Value = serde_json::from_str(&compact(&tree, NodeId::ROOT)).unwrap();
        prop_assert_eq!(&back, &value);
        let back: serde_json::Value = serde_json::from_str(&pretty(&tree, NodeId::ROOT)).unwrap();
        prop_assert_eq!(&back, &value);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let ours = parse(&bytes, Limits::default()).is_ok();
        if ours {
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok());
        }
    }
}

#[test]
fn rolling_back_leaves_no_trace() {
    use crate::OriginId;
    let none = OriginId::GENERATED;
    let mut tree = Tree::default();
    tree.member(NodeId::ROOT, "a", Value::String("x"), none);
    let before = compact(&tree, NodeId::ROOT);
    let mark = tree.mark(NodeId::ROOT);
    let tried = tree.member(NodeId::ROOT, "b", Value::Object, none);
    tree.member(tried, "c", Value::Number("1"), none);
    tree.rollback(mark);
    assert_eq!(compact(&tree, NodeId::ROOT), before);
    tree.member(NodeId::ROOT, "d", Value::Array, none);
    assert_eq!(compact(&tree, NodeId::ROOT), r#"{"a":"x","d":[]}"#);
    let mut empty = Tree::default();
    let mark = empty.mark(NodeId::ROOT);
    empty.member(NodeId::ROOT, "b", Value::Object, none);
    empty.rollback(mark);
    assert_eq!(compact(&empty, NodeId::ROOT), "{}");
}

#[test]
fn a_grafted_tree_is_the_same_members_elsewhere() {
    let one = OriginId(1);
    let mut part = Tree::default();
    let list = part.member(NodeId::ROOT, "a", Value::Array, OriginId::GENERATED);
    let item = part.item(list, Value::Object, one);
    part.member(item, "b", Value::String("x"), one);
    part.member(NodeId::ROOT, "c", Value::Number("1.0"), OriginId(2));
    let mut tree = Tree::default();
    tree.member(NodeId::ROOT, "before", Value::Bool(true), OriginId::GENERATED);
    let object = tree.member(NodeId::ROOT, "in", Value::Object, OriginId::GENERATED);
    tree.member(object, "own", Value::Number("7"), OriginId::GENERATED);
    tree.graft(object, &part, |origin| {
        OriginId(if origin.0 == 0 { 0 } else { origin.0 + 10 })
    });
    tree.member(object, "after", Value::Null, OriginId::GENERATED);
    let text = compact(&tree, NodeId::ROOT);
    assert_eq!(
        text,
        r#"{"before":true,"in":{"own":7,"a":[{"b":"x"}],"c":1.0,"after":null}}"#
    );
    let number = tree.get(object, "c").unwrap();
    assert_eq!(
        (tree.origin(number), tree.path(number)),
        (OriginId(12), "$this.in.c".to_owned())
    );
}
