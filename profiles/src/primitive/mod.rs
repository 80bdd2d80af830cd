//! The primitive types of R4 and which texts are values of them (R4 2.24, "Data Types"). Nothing here knows where a
//! value stands.

mod lexical;
mod time;

#[cfg(test)]
mod tests;

/// A primitive type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Primitive {
    /// `base64Binary`
    Base64Binary,
    /// `boolean`
    Boolean,
    /// `canonical`
    Canonical,
    /// `code`
    Code,
    /// `date`
    Date,
    /// `dateTime`
    DateTime,
    /// `decimal`
    Decimal,
    /// `id`
    Id,
    /// `instant`
    Instant,
    /// `integer`
    Integer,
    /// `markdown`
    Markdown,
    /// `oid`
    Oid,
    /// `positiveInt`
    PositiveInt,
    /// `string`
    String,
    /// `time`
    Time,
    /// `unsignedInt`
    UnsignedInt,
    /// `uri`
    Uri,
    /// `url`
    Url,
    /// `uuid`
    Uuid,
    /// `xhtml`
    Xhtml,
}

/// How JSON writes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JsonForm {
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A string.
    String,
}

impl Primitive {
    /// The primitive of a name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "base64Binary" => Self::Base64Binary,
            "boolean" => Self::Boolean,
            "canonical" => Self::Canonical,
            "code" => Self::Code,
            "date" => Self::Date,
            "dateTime" => Self::DateTime,
            "decimal" => Self::Decimal,
            "id" => Self::Id,
            "instant" => Self::Instant,
            "integer" => Self::Integer,
            "markdown" => Self::Markdown,
            "oid" => Self::Oid,
            "positiveInt" => Self::PositiveInt,
            "string" => Self::String,
            "time" => Self::Time,
            "unsignedInt" => Self::UnsignedInt,
            "uri" => Self::Uri,
            "url" => Self::Url,
            "uuid" => Self::Uuid,
            "xhtml" => Self::Xhtml,
            _ => return None,
        })
    }

    /// How JSON writes it (R4 2.6.2.3).
    pub fn form(self) -> JsonForm {
        match self {
            Self::Boolean => JsonForm::Boolean,
            Self::Decimal | Self::Integer | Self::PositiveInt | Self::UnsignedInt => JsonForm::Number,
            _ => JsonForm::String,
        }
    }

    /// Whether a text, without JSON's quotes and escapes, is a value of the type. Time linear in the text.
    pub fn accepts(self, text: &str) -> bool {
        match self {
            Self::Boolean => matches!(text, "true" | "false"),
            Self::Base64Binary => lexical::base64(text),
            Self::Canonical | Self::Uri | Self::Url => lexical::uri(text),
            Self::Code => lexical::code(text),
            Self::Date => time::date(text),
            Self::DateTime => time::date_time(text),
            Self::Decimal => lexical::decimal(text),
            Self::Id => lexical::id(text),
            Self::Instant => time::instant(text),
            Self::Integer => lexical::integer(text, i32::MIN),
            Self::UnsignedInt => lexical::integer(text, 0),
            Self::PositiveInt => lexical::integer(text, 1),
            Self::Markdown | Self::String => lexical::string(text),
            Self::Oid => text.strip_prefix("urn:oid:").is_some_and(lexical::oid),
            Self::Time => time::time(text),
            Self::Uuid => text.strip_prefix("urn:uuid:").is_some_and(lexical::uuid),
            Self::Xhtml => lexical::xhtml(text),
        }
    }
}
