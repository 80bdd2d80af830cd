//! The arena. Nodes stand in one vector and all text in one buffer; a node links its first and last child and its next
//! sibling, so members can be added to any object at any time.

use crate::origin::OriginId;

/// A node of a tree. Only meaningful with the tree that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

impl NodeId {
    /// The root of every tree.
    pub const ROOT: Self = Self(0);
    const NONE: u32 = u32::MAX;

    /// Number of the node in its tree.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true`
    True,
    /// `false`
    False,
    /// A number; its text is kept as it came.
    Number,
    /// A string, unescaped.
    String,
    /// An object.
    Object,
    /// An array.
    Array,
}

/// A value to add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number by its text, which must be a JSON number.
    Number(&'a str),
    /// A string.
    String(&'a str),
    /// An empty object.
    Object,
    /// An empty array.
    Array,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    end: u32,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    name: Span,
    value: Span,
    parent: u32,
    first: u32,
    last: u32,
    next: u32,
    origin: OriginId,
    kind: Kind,
}

/// A point in the making of a tree to come back to; see [`Tree::mark`].
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    parent: u32,
    last: u32,
    nodes: u32,
    text: u32,
}

/// A JSON value with every node addressable.
#[derive(Debug, Clone)]
pub struct Tree {
    nodes: Vec<Node>,
    text: String,
}

impl Default for Tree {
    fn default() -> Self {
        Self::new(Value::Object)
    }
}

impl Tree {
    /// A tree with its root.
    pub fn new(root: Value<'_>) -> Self {
        Self::with_capacity(root, 64, 1024)
    }

    /// A tree with its root and room for so many nodes and bytes of text.
    pub fn with_capacity(root: Value<'_>, nodes: usize, text: usize) -> Self {
        let mut tree = Self {
            nodes: Vec::with_capacity(nodes),
            text: String::with_capacity(text),
        };
        tree.push(NodeId::NONE, Span { start: 0, end: 0 }, root, OriginId::GENERATED);
        tree
    }

    /// Adds a member to an object. The caller sees to it that the name is new there.
    pub fn member(&mut self, parent: NodeId, name: &str, value: Value<'_>, origin: OriginId) -> NodeId {
        let name = self.keep(name);
        self.push(parent.0, name, value, origin)
    }

    /// Adds an item to an array.
    pub fn item(&mut self, parent: NodeId, value: Value<'_>, origin: OriginId) -> NodeId {
        self.push(parent.0, Span { start: 0, end: 0 }, value, origin)
    }

    /// Turns a node into another value; its children are let go, its name and place among its siblings stay.
    pub fn set(&mut self, node: NodeId, value: Value<'_>, origin: OriginId) {
        let (kind, span) = self.value(value);
        if let Some(node) = self.nodes.get_mut(node.index()) {
            node.kind = kind;
            node.value = span;
            node.first = NodeId::NONE;
            node.last = NodeId::NONE;
            node.origin = origin;
        }
    }

    /// Remembers the tree as it is before something is tried below `parent`.
    pub fn mark(&self, parent: NodeId) -> Mark {
        Mark {
            parent: parent.0,
            last: self.node(parent).map_or(NodeId::NONE, |node| node.last),
            nodes: to_u32(self.nodes.len()),
            text: to_u32(self.text.len()),
        }
    }

    /// Takes back all that was added since the mark. Everything added since must stand below the mark's parent.
    pub fn rollback(&mut self, mark: Mark) {
        self.nodes.truncate(mark.nodes as usize);
        self.text.truncate(mark.text as usize);
        if let Some(parent) = self.nodes.get_mut(mark.parent as usize) {
            parent.last = mark.last;
            if mark.last == NodeId::NONE {
                parent.first = NodeId::NONE;
            }
        }
        if let Some(last) = self.nodes.get_mut(mark.last as usize) {
            last.next = NodeId::NONE;
        }
    }

    /// Says where a node came from.
    pub fn set_origin(&mut self, node: NodeId, origin: OriginId) {
        if let Some(node) = self.nodes.get_mut(node.index()) {
            node.origin = origin;
        }
    }

    /// Puts the members of an object in the order of their ranks; those of one rank keep theirs.
    pub fn sort_members(&mut self, object: NodeId, rank: impl Fn(&str) -> u32) {
        let ranked = self.children(object).map(|member| (rank(self.name(member)), member.0));
        let mut members: Vec<(u32, u32)> = ranked.collect();
        members.sort_by_key(|(rank, _)| *rank);
        let last = members.last().map_or(NodeId::NONE, |(_, member)| *member);
        let mut next = NodeId::NONE;
        for (_, member) in members.into_iter().rev() {
            if let Some(node) = self.nodes.get_mut(member as usize) {
                node.next = std::mem::replace(&mut next, member);
            }
        }
        if let Some(object) = self.nodes.get_mut(object.index()) {
            (object.first, object.last) = (next, last);
        }
    }

    fn keep(&mut self, text: &str) -> Span {
        let start = self.text.len();
        self.text.push_str(text);
        Span {
            start: to_u32(start),
            end: to_u32(self.text.len()),
        }
    }

    fn value(&mut self, value: Value<'_>) -> (Kind, Span) {
        let none = Span { start: 0, end: 0 };
        match value {
            Value::Null => (Kind::Null, none),
            Value::Bool(true) => (Kind::True, none),
            Value::Bool(false) => (Kind::False, none),
            Value::Number(text) => (Kind::Number, self.keep(text)),
            Value::String(text) => (Kind::String, self.keep(text)),
            Value::Object => (Kind::Object, none),
            Value::Array => (Kind::Array, none),
        }
    }

    fn push(&mut self, parent: u32, name: Span, value: Value<'_>, origin: OriginId) -> NodeId {
        let id = to_u32(self.nodes.len());
        let (kind, value) = self.value(value);
        let none = NodeId::NONE;
        let last = self.nodes.get_mut(parent as usize).map_or(none, |parent| {
            if parent.last == none {
                parent.first = id;
            }
            std::mem::replace(&mut parent.last, id)
        });
        if let Some(last) = self.nodes.get_mut(last as usize) {
            last.next = id;
        }
        self.nodes.push(Node {
            name,
            value,
            parent,
            first: none,
            last: none,
            next: none,
            origin,
            kind,
        });
        NodeId(id)
    }

    /// Adds the members of another tree's root to an object, in one step; the caller sees to it that their names are new. `origin` says what the origins of
    /// the other tree are in this one.
    pub fn graft(&mut self, object: NodeId, from: &Self, origin: impl Fn(OriginId) -> OriginId) {
        let (Some(root), Some(rest)) = (from.nodes.first(), from.nodes.get(1..)) else {
            return;
        };
        let base = to_u32(self.nodes.len());
        let text = to_u32(self.text.len());
        let place = |index: u32| match index {
            NodeId::NONE => NodeId::NONE,
            0 => object.0,
            index => base + index - 1,
        };
        let span = |span: Span| Span {
            start: span.start + text,
            end: span.end + text,
        };
        self.text.push_str(&from.text);
        self.nodes.extend(rest.iter().map(|node| Node {
            name: span(node.name),
            value: span(node.value),
            parent: place(node.parent),
            first: place(node.first),
            last: place(node.last),
            next: place(node.next),
            origin: origin(node.origin),
            kind: node.kind,
        }));
        if root.first == NodeId::NONE {
            return;
        }
        let last = self.nodes.get_mut(object.index()).map_or(NodeId::NONE, |object| {
            if object.last == NodeId::NONE {
                object.first = place(root.first);
            }
            std::mem::replace(&mut object.last, place(root.last))
        });
        if let Some(last) = self.nodes.get_mut(last as usize) {
            last.next = place(root.first);
        }
    }

    /// How many nodes there are, let-go ones included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node; never so.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Bytes of text held.
    pub fn text_len(&self) -> usize {
        self.text.len()
    }

    fn node(&self, node: NodeId) -> Option<&Node> {
        self.nodes.get(node.index())
    }

    fn span(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// What a node is.
    pub fn kind(&self, node: NodeId) -> Kind {
        self.node(node).map_or(Kind::Null, |node| node.kind)
    }

    /// The member name of a node, empty for an item and the root.
    pub fn name(&self, node: NodeId) -> &str {
        self.node(node).map_or("", |node| self.span(node.name))
    }

    /// Where a node came from.
    pub fn origin(&self, node: NodeId) -> OriginId {
        self.node(node).map_or(OriginId::GENERATED, |node| node.origin)
    }

    /// The object or array that holds a node.
    pub fn parent(&self, node: NodeId) -> Option<NodeId> {
        self.node(node)
            .map(|node| node.parent)
            .filter(|parent| *parent != NodeId::NONE)
            .map(NodeId)
    }

    /// The text of a string or number.
    pub fn text(&self, node: NodeId) -> Option<&str> {
        let node = self.node(node)?;
        matches!(node.kind, Kind::String | Kind::Number).then(|| self.span(node.value))
    }

    /// The text of a string.
    pub fn str(&self, node: NodeId) -> Option<&str> {
        let node = self.node(node)?;
        (node.kind == Kind::String).then(|| self.span(node.value))
    }

    /// The members or items of a node, in order.
    pub fn children(&self, node: NodeId) -> Children<'_> {
        Children {
            tree: self,
            next: self.node(node).map_or(NodeId::NONE, |node| node.first),
        }
    }

    /// The last member or item of a node.
    pub fn last(&self, node: NodeId) -> Option<NodeId> {
        let last = self.node(node)?.last;
        (last != NodeId::NONE).then_some(NodeId(last))
    }

    /// The member of a name.
    pub fn get(&self, node: NodeId, name: &str) -> Option<NodeId> {
        self.children(node).find(|child| self.name(*child) == name)
    }

    /// The text of a member that is a string.
    pub fn get_str(&self, node: NodeId, name: &str) -> Option<&str> {
        self.get(node, name).and_then(|member| self.str(member))
    }

    /// The nodes of a chain of names, through arrays: `["entry", "resource"]`.
    pub fn select(&self, node: NodeId, names: &[&str]) -> Vec<NodeId> {
        let mut found = vec![node];
        for name in names {
            found = found
                .into_iter()
                .filter_map(|node| self.get(node, name))
                .flat_map(|n| self.items(n))
                .collect();
        }
        found
    }

    /// The items of an array, or the node itself.
    pub fn items(&self, node: NodeId) -> Vec<NodeId> {
        if self.kind(node) == Kind::Array {
            self.children(node).collect()
        } else {
            vec![node]
        }
    }
}

fn to_u32(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Iterates over members or items.
#[derive(Debug, Clone)]
pub struct Children<'a> {
    tree: &'a Tree,
    next: u32,
}

impl Iterator for Children<'_> {
    type Item = NodeId;

    fn next(&mut self) -> Option<NodeId> {
        let node = self.tree.nodes.get(self.next as usize)?;
        let id = NodeId(self.next);
        self.next = node.next;
        Some(id)
    }
}
