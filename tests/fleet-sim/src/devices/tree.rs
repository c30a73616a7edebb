//! Configurations in which indentation says what belongs to what.

/// A configuration: lines, with the lines of their own below them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    sections: Vec<Section>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Section {
    line: String,
    below: Tree,
}

impl Tree {
    /// Reads an indented text. Lines that are empty or a `!` are layout and left out.
    pub(crate) fn parse(text: &str) -> Self {
        let lines: Vec<&str> =
            text.lines().filter(|line| !matches!(line.trim(), "" | "!" | "end" | "exit")).collect();
        Self::read(&lines)
    }

    fn read(lines: &[&str]) -> Self {
        let indent = |line: &str| line.len() - line.trim_start().len();
        let mut sections = Vec::new();
        let mut at = 0;
        while at < lines.len() {
            let own = indent(lines[at]);
            let end = lines[at + 1..].iter().position(|line| indent(line) <= own);
            let end = end.map_or(lines.len(), |end| at + 1 + end);
            sections
                .push(Section { line: lines[at].trim().to_owned(), below: Self::read(&lines[at + 1..end]) });
            at = end;
        }
        Self { sections }
    }

    fn at_mut(&mut self, path: &[String]) -> &mut Self {
        let mut tree = self;
        for line in path {
            let found = tree.sections.iter().position(|section| section.line == *line);
            let at = found.unwrap_or_else(|| tree.push(line.clone()));
            tree = &mut tree.sections[at].below;
        }
        tree
    }

    /// Puts a line where its like stand, at the end if there is none, and says where.
    fn push(&mut self, line: String) -> usize {
        let first = |line: &str| line.split_whitespace().next().unwrap_or_default().to_owned();
        let like = self.sections.iter().rposition(|section| first(&section.line) == first(&line));
        // What every configuration ends with stays at its end.
        let last = || {
            let tail = |section: &Section| matches!(first(&section.line).as_str(), "line" | "ntp");
            self.sections.iter().position(tail).unwrap_or(self.sections.len())
        };
        let at = like.map_or_else(last, |like| like + 1);
        self.sections.insert(at, Section { line, below: Self::default() });
        at
    }

    /// Sets a line in the section at `path`; it replaces the lines whose first `key` words are the same.
    pub(crate) fn set(&mut self, path: &[String], line: &str, key: usize) {
        let tree = self.at_mut(path);
        let is_same = |section: &Section| same(&section.line, line, key);
        match tree.sections.iter().position(is_same) {
            Some(at) => {
                line.clone_into(&mut tree.sections[at].line);
                let mut kept = false;
                tree.sections.retain(|section| !is_same(section) || !std::mem::replace(&mut kept, true));
            }
            None => {
                tree.push(line.to_owned());
            }
        }
    }

    /// Makes sure that there is a section with this line.
    pub(crate) fn enter(&mut self, path: &[String], line: &str) {
        let tree = self.at_mut(path);
        if !tree.sections.iter().any(|section| section.line == line) {
            tree.push(line.to_owned());
        }
    }

    /// Takes out the lines at `path` that begin with these words. False: there was none.
    pub(crate) fn remove(&mut self, path: &[String], begin: &str) -> bool {
        let tree = self.at_mut(path);
        let before = tree.sections.len();
        let words = begin.split_whitespace().count();
        tree.sections.retain(|section| !same(&section.line, begin, words));
        tree.sections.len() < before
    }

    /// The lines of the section at `path`; `None`: there is no such section.
    pub(crate) fn lines(&self, path: &[&str]) -> Option<Vec<&str>> {
        let mut tree = self;
        for line in path {
            tree = &tree.sections.iter().find(|section| section.line == *line)?.below;
        }
        Some(tree.sections.iter().map(|section| section.line.as_str()).collect())
    }

    /// What follows this keyword on the first line at the top that begins with it.
    pub(crate) fn value(&self, keyword: &str) -> Option<&str> {
        self.sections.iter().find_map(|section| section.line.strip_prefix(keyword)?.strip_prefix(' '))
    }

    /// The part of the configuration that begins with these words, as a text.
    pub(crate) fn part(&self, begin: &str, layout: Layout) -> Option<String> {
        let words = begin.split_whitespace().count();
        let sections: Vec<Section> =
            self.sections.iter().filter(|section| same(&section.line, begin, words)).cloned().collect();
        (!sections.is_empty()).then(|| Self { sections }.render(layout))
    }

    /// The configuration as a text.
    pub(crate) fn render(&self, layout: Layout) -> String {
        let mut text = String::new();
        self.write(&mut text, 0, layout);
        text
    }

    fn write(&self, text: &mut String, depth: usize, layout: Layout) {
        let indent = " ".repeat(depth * layout.indent);
        let first = |line: &str| line.split_whitespace().next().unwrap_or_default().to_owned();
        for (at, section) in self.sections.iter().enumerate() {
            text.push_str(&indent);
            text.push_str(&section.line);
            text.push('\n');
            section.below.write(text, depth + 1, layout);
            let block = !section.below.sections.is_empty() || opens_block(&section.line);
            if block {
                text.push_str(&layout.closing.replace("{indent}", &indent));
            }
            let next = self.sections.get(at + 1);
            let changes = next.is_none_or(|next| first(&next.line) != first(&section.line));
            if depth == 0 && (block || changes) {
                text.push_str(layout.between);
            }
        }
    }
}

fn opens_block(line: &str) -> bool {
    line.starts_with("interface ") || line.starts_with("vlan ") || line.starts_with("line ")
}

/// How a platform lays a configuration out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// Blanks per level.
    pub(crate) indent: usize,
    /// What stands between blocks of the top level.
    pub(crate) between: &'static str,
    /// What ends a block; `{indent}` is the block's own.
    pub(crate) closing: &'static str,
}

/// Whether two lines have their first `key` words in common.
fn same(one: &str, other: &str, key: usize) -> bool {
    let (mut one, mut other) = (one.split_whitespace(), other.split_whitespace());
    (0..key).all(|_| matches!((one.next(), other.next()), (Some(a), Some(b)) if a == b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Layout = Layout { indent: 1, between: "!\n", closing: "" };

    #[test]
    fn lines_replace_their_like_and_go_where_they_belong() {
        let mut tree =
            Tree::parse("hostname a\n!\ninterface Gi0/1\n description x\n no shutdown\nline con 0\n");
        tree.set(&[], "hostname b", 1);
        let path = ["interface Gi0/1".to_owned()];
        tree.set(&path, "description y z", 1);
        tree.set(&[], "ip route 0.0.0.0 0.0.0.0 10.0.0.1", 5);
        assert_eq!(
            tree.render(LAYOUT),
            "hostname b\n!\ninterface Gi0/1\n description y z\n no shutdown\n!\n\
             ip route 0.0.0.0 0.0.0.0 10.0.0.1\n!\nline con 0\n!\n"
        );
        assert!(tree.remove(&path, "description"));
        assert!(!tree.remove(&path, "description"));
        assert_eq!(tree.lines(&["interface Gi0/1"]).unwrap(), ["no shutdown"]);
    }
}
