//! Ways as cells write them: reading what is shown gives the same way. Nothing else is done here.

use std::fmt;

use super::{Constant, How, Literal, Param, ParamValue, Ref, Scope, TypeMap, has_look_of_place};
use crate::syntax::cursor::quote;

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TypeMap(map) => write!(f, "{map}"),
            Self::Keep => write!(f, "keep"),
            Self::Table(table) => write!(f, "table:{table}"),
            Self::Const(constant) => write!(f, "const({constant})"),
            Self::Default(constant) => write!(f, "default({constant})"),
            Self::Absent(code) => write!(f, "absent({code})"),
            Self::Ref(reference) => write!(f, "{reference}"),
            Self::Ordinal(None) => write!(f, "ordinal"),
            Self::Ordinal(Some(name)) => write!(f, "ordinal({name})"),
            Self::Ordinals(name) => write!(f, "ordinal({name}*)"),
            Self::Op(name) => write!(f, "op({name})"),
            Self::Finding(code) => write!(f, "finding({code})"),
            Self::Ignore => write!(f, "ignore"),
            Self::Off => write!(f, "off"),
        }
    }
}

impl fmt::Display for TypeMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params: Vec<String> = self.params.iter().map(ToString::to_string).collect();
        if params.is_empty() {
            return write!(f, "{}", self.name);
        }
        write!(f, "{}({})", self.name, params.join(" "))
    }
}

impl fmt::Display for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            ParamValue::Text(text) => write!(f, "{}={}", self.name, quote(text)),
            ParamValue::Place(place) if has_look_of_place(place) => write!(f, "{}={place}", self.name),
            ParamValue::Place(place) => write!(f, "{}=./{place}", self.name),
        }
    }
}

impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.system {
            Some(system) => write!(f, "{system}|{}", self.value),
            None => write!(f, "{}", self.value),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) if text.contains(['|', ')', '\'']) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::Text(text) => write!(f, "{text}"),
            Self::Site(name) => write!(f, "site:{name}"),
            Self::Param(name) => write!(f, "${name}"),
        }
    }
}

impl fmt::Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = match self.scope {
            Scope::Nearest => "",
            Scope::Here => " here",
            Scope::All => "*",
            Scope::Below => " below",
        };
        write!(f, "ref({}{scope}", self.name)?;
        if let (Scope::Below, [(place, _)]) = (self.scope, self.conditions.as_slice()) {
            return write!(f, " {place})");
        }
        for (there, here) in &self.conditions {
            write!(f, ", {there} = {here}")?;
        }
        write!(f, ")")
    }
}
