//! Pages: NervesHub counts them from 1 and has no cursor.

use fleetgate_sdk::prelude::*;

use super::reading;

/// The largest page that this plugin asks for. NervesHub itself has no limit, so a careless caller could make
/// it render a whole fleet in one answer.
pub const LARGEST_PAGE: u32 = 100;

/// The page size when the caller names none.
pub const USUAL_PAGE: u32 = 25;

/// Beyond this the server's offset arithmetic is nobody's use case.
pub const LAST_PAGE: u32 = 1_000_000;

/// Where one page stands in the whole list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Pagination {
    /// This page, counted from 1.
    pub page: u64,
    /// Entries on a full page.
    pub page_size: u64,
    /// Entries on all pages together; null if the server does not say.
    pub total_entries: Option<u64>,
    /// Number of pages; null if the server does not say.
    pub total_pages: Option<u64>,
    /// True: ask again with `page` + 1 for more.
    pub has_more: bool,
}

/// Which page is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    page: u32,
    page_size: u32,
}

impl Wanted {
    /// A page of a caller's choice. Refuses what NervesHub would answer with an error or with far too much.
    pub fn new(page: Option<u32>, page_size: Option<u32>) -> Result<Self, Fault> {
        let page = page.unwrap_or(1);
        let page_size = page_size.unwrap_or(USUAL_PAGE);
        if page == 0 || page > LAST_PAGE {
            let message =
                format!("page must be between 1 and {LAST_PAGE}; it is {page}. Pages count from 1.");
            return Err(Fault::invalid("/page", message));
        }
        if page_size == 0 || page_size > LARGEST_PAGE {
            let message = format!("page_size must be between 1 and {LARGEST_PAGE}; it is {page_size}.");
            return Err(Fault::invalid("/page_size", message));
        }
        Ok(Self { page, page_size })
    }

    /// The cheapest page: for the count that comes with it.
    pub fn count_only() -> Self {
        Self { page: 1, page_size: 1 }
    }

    /// A page of the largest size, for reading a list to its end.
    pub fn full(page: u32) -> Self {
        Self { page, page_size: LARGEST_PAGE }
    }

    /// As query parameters.
    pub fn query(self) -> [(String, String); 2] {
        [
            ("pagination[page]".into(), self.page.to_string()),
            ("pagination[page_size]".into(), self.page_size.to_string()),
        ]
    }

    /// What the server said about this page, of which `entries` came.
    pub fn read(self, answer: &Value, entries: usize) -> Pagination {
        let said = answer.get("pagination").unwrap_or(&Value::Null);
        let page = reading::count(said, "page_number").unwrap_or_else(|| self.page.into());
        let page_size = reading::count(said, "page_size").unwrap_or_else(|| self.page_size.into());
        let total_entries = total_entries(answer);
        let total_pages = reading::count(said, "total_pages");
        // A full page of a list whose length nobody tells may have a successor; an empty one has none.
        let has_more = match total_pages {
            Some(pages) => page < pages,
            None => entries > 0 && entries as u64 >= page_size,
        };
        Pagination { page, page_size, total_entries, total_pages, has_more }
    }
}

/// The length of the whole list, as a page of it says.
pub fn total_entries(answer: &Value) -> Option<u64> {
    reading::count(answer.get("pagination")?, "total_entries")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_sizes_out_of_range_are_refused_by_name() {
        assert_eq!(Wanted::new(Some(0), None).unwrap_err().field.as_deref(), Some("/page"));
        assert_eq!(Wanted::new(Some(LAST_PAGE + 1), None).unwrap_err().field.as_deref(), Some("/page"));
        assert_eq!(Wanted::new(None, Some(0)).unwrap_err().field.as_deref(), Some("/page_size"));
        assert_eq!(Wanted::new(None, Some(101)).unwrap_err().field.as_deref(), Some("/page_size"));
        assert!(Wanted::new(Some(1), Some(100)).is_ok());
    }

    #[test]
    fn the_servers_pagination_is_passed_on() {
        let answer =
            json!({"pagination": {"page_number": 2, "page_size": 10, "total_entries": 20, "total_pages": 2}});
        let page = Wanted::new(Some(2), Some(10)).unwrap().read(&answer, 10);
        let expected = Pagination {
            page: 2,
            page_size: 10,
            total_entries: Some(20),
            total_pages: Some(2),
            has_more: false,
        };
        assert_eq!(page, expected);
    }

    #[test]
    fn without_pagination_a_full_page_may_have_a_successor() {
        let wanted = Wanted::new(Some(1), Some(2)).unwrap();
        assert!(wanted.read(&json!({}), 2).has_more);
        assert!(!wanted.read(&json!({}), 1).has_more);
        assert!(!wanted.read(&json!({}), 0).has_more);
    }
}
