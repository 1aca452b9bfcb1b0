//! Conditions on the items of a message, in ONVIF's dialect `ItemFilter` (Core Specification, "Message content filter").
//!
//! ```text
//! condition = part { "or" part }
//! part      = term { "and" term }
//! term      = "not" "(" condition ")" | "(" condition ")" | "boolean" "(" path ")"
//! path      = "//" [prefix ":"] ("SimpleItem" | "ElementItem") [ "[" attributes "]" ]
//! ```
//!
//! The attributes are conditions themselves, whose terms are `@Name="…"` and `@Value="…"`.

/// Parentheses within parentheses.
const MAX_DEPTH: usize = 8;
/// Characters of one condition.
const MAX_LENGTH: usize = 4096;

/// What the items of a message have to be like. `T` is what it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition<T> {
    Is(T),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

/// A condition on a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContentFilter(Condition<Item>);

/// There is such an item.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Simple(Option<Condition<Attribute>>),
    /// Messages here have none.
    Element,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Attribute {
    Name(String),
    Value(String),
}

impl ContentFilter {
    /// `None` where it is no condition in this dialect.
    pub(crate) fn read(text: &str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let mut reader = Reader { rest: text.trim() };
        let condition = reader.condition(Reader::boolean, 0)?;
        reader.rest.is_empty().then_some(Self(condition))
    }

    /// Whether a message with these simple items meets it.
    pub(crate) fn matches<'i>(
        &self,
        items: impl Iterator<Item = (&'i str, &'i str)> + Clone,
    ) -> bool {
        self.0.holds(&|item| match item {
            Item::Element => false,
            Item::Simple(None) => items.clone().next().is_some(),
            Item::Simple(Some(attributes)) => items.clone().any(|(name, value)| {
                attributes.holds(&|attribute| match attribute {
                    Attribute::Name(wanted) => wanted == name,
                    Attribute::Value(wanted) => wanted == value,
                })
            }),
        })
    }
}

impl<T> Condition<T> {
    fn holds(&self, is: &impl Fn(&T) -> bool) -> bool {
        match self {
            Self::Is(term) => is(term),
            Self::Not(condition) => !condition.holds(is),
            Self::All(parts) => parts.iter().all(|part| part.holds(is)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(is)),
        }
    }
}

struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn condition<T>(
        &mut self,
        term: fn(&mut Self) -> Option<T>,
        depth: usize,
    ) -> Option<Condition<T>> {
        let mut alternatives = Vec::new();
        loop {
            let mut parts = vec![self.term(term, depth)?];
            while self.takes("and") {
                parts.push(self.term(term, depth)?);
            }
            alternatives.push(Condition::All(parts));
            if !self.takes("or") {
                return Some(Condition::Any(alternatives));
            }
        }
    }

    fn term<T>(&mut self, term: fn(&mut Self) -> Option<T>, depth: usize) -> Option<Condition<T>> {
        if depth >= MAX_DEPTH {
            return None;
        }
        let negated = self.takes("not");
        if !negated && !self.rest.starts_with('(') {
            return term(self).map(Condition::Is);
        }
        self.expect("(")?;
        let inner = self.condition(term, depth + 1)?;
        self.expect(")")?;
        Some(match negated {
            true => Condition::Not(Box::new(inner)),
            false => inner,
        })
    }

    fn boolean(&mut self) -> Option<Item> {
        self.expect("boolean")?;
        self.expect("(")?;
        self.expect("//")?;
        let end = self.rest.find(['[', ')'])?;
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        let name = name.trim();
        let item = match name.split_once(':').map_or(name, |(_, local)| local) {
            "SimpleItem" => Item::Simple(self.attributes()?),
            "ElementItem" => {
                self.attributes()?;
                Item::Element
            }
            _ => return None,
        };
        self.expect(")")?;
        Some(item)
    }

    /// `Some(None)` where there are none.
    fn attributes(&mut self) -> Option<Option<Condition<Attribute>>> {
        if !self.takes("[") {
            return Some(None);
        }
        let condition = self.condition(Self::attribute, 0)?;
        self.expect("]")?;
        Some(Some(condition))
    }

    fn attribute(&mut self) -> Option<Attribute> {
        let make = match (self.takes("@Name"), self.takes("@Value")) {
            (true, false) => Attribute::Name,
            (false, true) => Attribute::Value,
            _ => return None,
        };
        self.expect("=")?;
        let quote = self
            .rest
            .chars()
            .next()
            .filter(|c| matches!(c, '"' | '\''))?;
        let (value, rest) = self.rest[1..].split_once(quote)?;
        self.rest = rest.trim_start();
        Some(make(value.to_owned()))
    }

    fn expect(&mut self, word: &str) -> Option<()> {
        self.takes(word).then_some(())
    }

    /// Takes this word, with the blanks behind it.
    fn takes(&mut self, word: &str) -> bool {
        let rest = self.rest.strip_prefix(word);
        self.rest = rest.map_or(self.rest, str::trim_start);
        rest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(condition: &str) -> bool {
        let items = [("Source", "video_source"), ("State", "true")];
        let filter = ContentFilter::read(condition);
        let filter = filter.unwrap_or_else(|| panic!("{condition}"));
        filter.matches(items.into_iter())
    }

    #[test]
    fn an_item_is_looked_for_by_name_and_value() {
        for (condition, expected) in [
            (
                r#"boolean(//tt:SimpleItem[@Name="State" and @Value="true"])"#,
                true,
            ),
            (
                r#"boolean(//tt:SimpleItem[@Name="State" and @Value="false"])"#,
                false,
            ),
            // The same item has to have both.
            (
                r#"boolean(//tt:SimpleItem[@Name="Source" and @Value="true"])"#,
                false,
            ),
            ("boolean( //SimpleItem [ @Value = 'true' ] )", true),
            ("boolean(//tt:SimpleItem)", true),
            (r#"boolean(//tt:ElementItem[@Name="State"])"#, false),
            (
                r#"boolean(//tt:SimpleItem[@Name="A" or not(@Value="B")])"#,
                true,
            ),
        ] {
            assert_eq!(matches(condition), expected, "{condition}");
        }
    }

    #[test]
    fn and_binds_more_than_or_and_not_and_parentheses_more_than_both() {
        let yes = "boolean(//tt:SimpleItem[@Name='State'])";
        let no = "boolean(//tt:SimpleItem[@Name='Other'])";
        for (condition, expected) in [
            (format!("{yes} and {no}"), false),
            (format!("{yes} or {no} and {no}"), true),
            (format!("({yes} or {no}) and {no}"), false),
            (format!("not({no}) and {yes}"), true),
            (format!("not ( {yes} and not({no}) )"), false),
        ] {
            assert_eq!(matches(&condition), expected, "{condition}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        let item = "boolean(//tt:SimpleItem[@Name='State'])";
        let deep = format!("{}{item}{}", "(".repeat(100), ")".repeat(100));
        let long = vec![item; 200].join(" and ");
        for condition in [
            "",
            "true",
            "count(//tt:SimpleItem)",
            "boolean(//tt:Other)",
            "boolean(//tt:SimpleItem[@Type='a'])",
            "boolean(//tt:SimpleItem[@Name='a])",
            "boolean(//tt:SimpleItem[@Name='a'] and",
            &format!("{item} {item}"),
            &format!("{item} and"),
            &deep,
            &long,
        ] {
            assert_eq!(ContentFilter::read(condition), None, "{condition}");
        }
    }
}
