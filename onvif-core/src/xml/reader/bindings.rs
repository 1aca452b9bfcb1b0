use std::cell::OnceCell;

use memchr::{memchr, memchr_iter, memmem};

use super::limits::{DecodeError, Limits, MAX_NAME, within};
use crate::xml::scanner::Attributes;

/// The namespaces that are declared where the reader is.
pub(super) struct Bindings<'x> {
    /// Those of the first element that declares any, which is the root most of the time.
    outer: Option<Unread<'x>>,
    /// All others, the innermost last.
    inner: Vec<Binding<'x>>,
}

/// One `xmlns:prefix="uri"`.
pub(super) struct Binding<'x> {
    pub(super) prefix: &'x str,
    pub(super) uri: &'x str,
    /// Of the element that has it.
    depth: usize,
}

impl<'x> Bindings<'x> {
    pub(super) fn new() -> Self {
        Self {
            outer: None,
            inner: Vec::new(),
        }
    }

    /// Takes what an element at `depth` declares; whether that is anything.
    pub(super) fn declare(
        &mut self,
        attributes: Attributes<'x>,
        depth: usize,
        limits: Limits,
    ) -> Result<bool, DecodeError> {
        let text = attributes.rest();
        // The shortest attribute takes five bytes (` a=""`), so most tags need no counting.
        if text.len() <= limits.attributes * 5 && !text.contains("xmlns") {
            return Ok(false);
        }
        if self.outer.is_none() && self.inner.is_empty() {
            self.outer = Unread::new(attributes, depth, limits);
            if self.outer.is_some() {
                return Ok(true);
            }
        }
        for (number, (name, uri)) in attributes.enumerate() {
            within(number + 1, limits.attributes, "attributes")?;
            let Some(prefix) = declared_prefix(name) else {
                continue;
            };
            within(uri.len(), MAX_NAME, "bytes of a name")?;
            let outer = self.outer.as_ref().map_or(0, Unread::count);
            let number = outer + self.inner.len() + 1;
            within(number, limits.namespaces, "namespace declarations")?;
            self.inner.push(Binding { prefix, uri, depth });
        }
        Ok(true)
    }

    /// Forgets what is declared deeper than `depth`; whether that was anything.
    pub(super) fn leave(&mut self, depth: usize) -> bool {
        let is_outer = |outer: &Unread<'_>| outer.depth > depth;
        if self.outer.as_ref().is_some_and(is_outer) {
            self.outer = None;
            self.inner.clear();
            return true;
        }
        if self.inner.last().is_none_or(|last| last.depth <= depth) {
            return false;
        }
        // The limits keep them few.
        let left = self.inner.iter().rposition(|known| known.depth <= depth);
        self.inner.truncate(left.map_or(0, |last| last + 1));
        true
    }

    /// The namespace that a prefix stands for; the default namespace has the empty prefix.
    pub(super) fn namespace_of(&self, prefix: &str) -> Option<&'x str> {
        let mut inner = self.inner.iter().rev();
        let uri = match (inner.find(|known| known.prefix == prefix), &self.outer) {
            (Some(known), _) => known.uri,
            (None, Some(outer)) => outer.find(prefix)?,
            (None, None) => return None,
        };
        // What is kept with every value that needs it is no longer than a name may be.
        Some(uri).filter(|uri| (1..=MAX_NAME).contains(&uri.len()))
    }

    /// All of them, the innermost last.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Binding<'x>> {
        let outer = self.outer.as_ref().map_or(&[][..], Unread::all);
        outer.iter().chain(&self.inner)
    }
}

/// Declarations that are looked up where they stand, because documents use three of the dozens that they declare.
struct Unread<'x> {
    attributes: Attributes<'x>,
    depth: usize,
    /// All of them, where they are needed after all.
    all: OnceCell<Vec<Binding<'x>>>,
}

impl<'x> Unread<'x> {
    /// `None` where it takes reading to find out whether these attributes are within the limits.
    fn new(attributes: Attributes<'x>, depth: usize, limits: Limits) -> Option<Self> {
        const LONGEST: usize = 4096;
        let bytes = attributes.rest().as_bytes();
        let most = limits.attributes.min(limits.namespaces);
        let is_fine = bytes.len() <= LONGEST
            && memchr_iter(b'=', bytes).count() <= most
            && memchr(b'\'', bytes).is_none();
        is_fine.then(|| Self {
            attributes,
            depth,
            all: OnceCell::new(),
        })
    }

    fn count(&self) -> usize {
        self.all().len()
    }

    fn find(&self, prefix: &str) -> Option<&'x str> {
        if self.all.get().is_none()
            && let Some(uri) = self.search(prefix)
        {
            return Some(uri);
        }
        let mut all = self.all().iter();
        Some(all.find(|known| known.prefix == prefix)?.uri)
    }

    /// The namespace of a prefix that is declared plainly.
    fn search(&self, prefix: &str) -> Option<&'x str> {
        let text = self.attributes.rest();
        let written = match prefix {
            "" => "xmlns=\"".to_owned(),
            _ => ["xmlns:", prefix, "=\""].concat(),
        };
        let (before, after) = text.split_at(memmem::find(text.as_bytes(), written.as_bytes())?);
        let (uri, _) = after[written.len()..].split_once('"')?;
        let is_name = before.ends_with(|c: char| c <= ' ')
            && memchr_iter(b'"', before.as_bytes())
                .count()
                .is_multiple_of(2);
        is_name.then_some(uri)
    }

    fn all(&self) -> &[Binding<'x>] {
        self.all.get_or_init(|| {
            let declarations = self.attributes.filter_map(|(name, uri)| {
                Some(Binding {
                    prefix: declared_prefix(name)?,
                    uri,
                    depth: self.depth,
                })
            });
            declarations.collect()
        })
    }
}

/// The prefix, if that is what an attribute of this name declares.
fn declared_prefix(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("xmlns")?;
    match rest {
        "" => Some(rest),
        _ => rest.strip_prefix(':'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::scanner::{Part, Scanner};

    fn bindings(tag: &str) -> Bindings<'_> {
        let Ok(Part::Start(tag) | Part::Empty(tag)) = Scanner::new(tag).next(false) else {
            panic!("{tag} is no tag");
        };
        let mut bindings = Bindings::new();
        let declared = bindings.declare(tag.attributes(), 1, Limits::default());
        assert_eq!(declared, Ok(true));
        bindings
    }

    #[test]
    fn searching_finds_what_reading_all_finds() {
        for (tag, unread) in [
            ("<a xmlns:b=\"u\" xmlns=\"d\">", true),
            ("<a\n\txmlns:b=\"u\"\r\n\txmlns=\"d\"/>", true),
            ("<a xmlns:b='u' xmlns=\"d\">", false),
            ("<a xmlns:b = \"u\" xmlns =\"d\">", true),
            ("<a x=\" xmlns:b=\" xmlns:b=\"u\" xmlns=\"d\">", true),
            (
                "<a xmlns:bb=\"v\" xmlns:b=\"u\" lang=\"xmlns=\" xmlns=\"d\">",
                true,
            ),
            (
                "<a xxmlns:b=\"v\" xmlns:b=\"u\" xxmlns=\"e\" xmlns=\"d\">",
                true,
            ),
            ("<a xmlns:b=u xmlns=\"d\">", true),
            ("<a xmlns:b xmlns:b=\"u\" xmlns xmlns=\"d\">", true),
        ] {
            let bindings = bindings(tag);
            assert_eq!(bindings.outer.is_some(), unread, "{tag}");
            let find = || ["b", "", "c"].map(|prefix| bindings.namespace_of(prefix));
            let searched = find();
            assert!(bindings.iter().count() >= 2, "{tag}");
            assert_eq!(find(), searched, "{tag}");
            assert_eq!(searched, [Some("u"), Some("d"), None], "{tag}");
        }
    }

    #[test]
    fn what_is_left_is_forgotten() {
        let mut bindings = bindings("<a xmlns:b=\"u\">");
        assert!(!bindings.leave(1));
        assert_eq!(bindings.namespace_of("b"), Some("u"));
        assert!(bindings.leave(0));
        assert_eq!(bindings.namespace_of("b"), None);
    }
}
