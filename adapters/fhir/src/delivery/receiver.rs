//! By what a receiver finds a resource that it may have: an identifier, a condition of the sender, our id, or our id as a
//! tag. How it is written is not known here.

use causeway_core::fhir::{NodeId, Tree};

/// The system of our ids where they are tags or logical references.
pub(super) const OUR_IDS: &str = "urn:causeway:id";

/// How a resource is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// Whatever has this identifier becomes as is said.
    Update(String),
    /// It is made where nothing has this identifier.
    Mention(String),
    /// It is made where nothing meets the sender's own condition.
    Sender(String),
    /// Under our id.
    Ours,
    /// Whatever has our id as a tag becomes as is said.
    Tag,
}

impl Way {
    /// The way of a resource; `sender` is the condition of a create that its sender made conditional.
    pub(super) fn of(tree: &Tree, resource: NodeId, kind: &str, sender: Option<&str>, client_ids: bool) -> Self {
        if let Some(condition) = sender {
            return Self::Sender(condition.to_owned());
        }
        let named = identifier::of(kind).and_then(|known| Some((known, known.condition(tree, resource)?)));
        match named {
            Some((known, condition)) if known.is_mention(tree, resource) => Self::Mention(condition),
            Some((_, condition)) => Self::Update(condition),
            None if client_ids => Self::Ours,
            None => Self::Tag,
        }
    }
}

/// The address of what has our id as a tag.
pub(super) fn tagged(kind: &str, id: &str) -> String {
    format!("{kind}?_tag={}", token(OUR_IDS, id))
}

/// A system and value as a search has them.
fn token(system: &str, value: &str) -> String {
    format!("{}%7C{}", escaped(system), escaped(value))
}

/// A text as a query has it (RFC 3986 2.3).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let digit = |half: u8| {
                char::from_digit(u32::from(half), 16)
                    .unwrap_or('0')
                    .to_ascii_uppercase()
            };
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    out
}

pub(super) mod identifier {
    //! Types that one identifier names.

    use super::{NodeId, Tree, token};

    /// What is known of such a type.
    #[derive(Debug)]
    pub(in crate::delivery) struct Named {
        kind: &'static str,
        /// Types of identifier (HL7 table 0203) that name it before others.
        first: &'static [&'static str],
        /// Types of identifier that name something else, which several may share.
        never: &'static [&'static str],
        /// What a reference to it brings along; who says no more only mentions it.
        mention: &'static [&'static str],
    }

    const ALL: &[Named] = &[
        Named {
            kind: "Patient",
            first: &["MR", "PI", "PN"],
            never: &["AN", "VN"],
            mention: &["identifier", "name"],
        },
        Named {
            kind: "Practitioner",
            first: &["NPI"],
            never: &[],
            mention: &["identifier", "name", "qualification"],
        },
        Named {
            kind: "Organization",
            first: &["NPI"],
            never: &[],
            mention: &["identifier", "name"],
        },
        Named {
            kind: "Encounter",
            first: &["VN"],
            never: &["AN"],
            mention: &["identifier", "status", "class", "subject"],
        },
        Named {
            kind: "Account",
            first: &["AN"],
            never: &["VN"],
            mention: &["identifier", "status", "type", "subject"],
        },
    ];

    /// What every resource may have without saying anything by it.
    const FRAME: &[&str] = &["resourceType", "id", "meta", "implicitRules", "language"];

    /// What is known of a type that one identifier names.
    pub(in crate::delivery) fn of(kind: &str) -> Option<&'static Named> {
        ALL.iter().find(|named| named.kind == kind)
    }

    impl Named {
        /// The search for a resource by its identifier: one in use before one of before, and the most telling type.
        pub(super) fn condition(&self, tree: &Tree, resource: NodeId) -> Option<String> {
            let all = tree.children(tree.get(resource, "identifier")?);
            let ranked = all.filter_map(|one| {
                let system = tree.get_str(one, "system").filter(|text| is_plain(text))?;
                let value = tree.get_str(one, "value").filter(|text| is_plain(text))?;
                Some((self.rank(tree, one)?, token(system, value)))
            });
            // The first of the best rank.
            let best = ranked.min_by_key(|(rank, _)| *rank);
            best.map(|(_, token)| format!("identifier={token}"))
        }

        /// How well an identifier names the resource, the less the better; nothing where it names something else.
        fn rank(&self, tree: &Tree, one: NodeId) -> Option<(bool, usize)> {
            let types = tree.select(one, &["type", "coding", "code"]);
            let types: Vec<&str> = types.into_iter().filter_map(|code| tree.str(code)).collect();
            let is = |among: &[&str]| among.iter().position(|known| types.contains(known));
            if is(self.never).is_some() {
                return None;
            }
            let ended = matches!(tree.get_str(one, "use"), Some("old" | "temp"));
            Some((ended, is(self.first).unwrap_or(self.first.len())))
        }

        /// Whether a resource says no more than a reference to it needs.
        pub(super) fn is_mention(&self, tree: &Tree, resource: NodeId) -> bool {
            let members = tree.children(resource).map(|member| tree.name(member));
            let mut members = members.map(|name| name.strip_prefix('_').unwrap_or(name));
            members.all(|name| FRAME.contains(&name) || self.mention.contains(&name))
        }
    }

    /// Whether no character would have to be escaped in a search, by escapes that not all servers know (FHIR R4 search
    /// 3.1.1.4.0.1).
    fn is_plain(text: &str) -> bool {
        !text.is_empty() && !text.contains(['$', ',', '|', '\\'])
    }
}
