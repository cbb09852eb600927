//! A sparse array by row: pages of rows that exist only once one of them is written.
//!
//! For facts that most rows have (or most of a stretch of rows): no key is stored, no hash is made, and a look-up waits
//! for memory once.

/// Rows of a page.
const PAGE: usize = 1024;

/// Values by row; a default value is none.
#[derive(Clone, Debug)]
pub struct Pages<T> {
    pages: Vec<Option<Box<[T]>>>,
    len: usize,
}

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), len: 0 }
    }
}

impl<T: Copy + Default + PartialEq> Pages<T> {
    /// The value of a row.
    pub fn get(&self, row: u32) -> Option<T> {
        let (page, at) = place(row);
        let value = *self.pages.get(page)?.as_ref()?.get(at)?;
        (value != T::default()).then_some(value)
    }

    /// Writes a row.
    pub fn set(&mut self, row: u32, value: T) {
        let (page, at) = place(row);
        if page >= self.pages.len() {
            self.pages.resize_with(page + 1, || None);
        }
        let Some(slot) = self.pages.get_mut(page) else { return };
        let page = slot.get_or_insert_with(|| vec![T::default(); PAGE].into_boxed_slice());
        if let Some(old) = page.get_mut(at) {
            self.len = self.len + usize::from(value != T::default()) - usize::from(*old != T::default());
            *old = value;
        }
    }

    /// Drops up to `most` of its pages; whether any are left. What remains must not be read any more: dropping millions of
    /// rows at once takes as long as deciding thousands of gifts.
    pub fn shed(&mut self, most: usize) -> bool {
        self.pages.truncate(self.pages.len().saturating_sub(most));
        !self.pages.is_empty()
    }

    /// Rows that have a value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, T)> {
        let pages = (0_u32..).zip(&self.pages).filter_map(|(number, page)| Some((number, page.as_ref()?)));
        pages.flat_map(|(number, page)| {
            #[expect(clippy::cast_possible_truncation, reason = "1,024")]
            let first = number * PAGE as u32;
            (first..).zip(page.iter().copied()).filter(|(_, value)| *value != T::default())
        })
    }

    /// How many rows have a value.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether none has.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

const fn place(row: u32) -> (usize, usize) {
    let row = row as usize;
    (row / PAGE, row % PAGE)
}

#[cfg(test)]
mod tests {
    use super::Pages;

    #[test]
    fn what_is_written_is_there_and_nothing_else() {
        let mut pages = Pages::default();
        for row in [0_u32, 1_023, 1_024, 5_000_000] {
            assert_eq!(pages.get(row), None);
            pages.set(row, row + 1);
        }
        pages.set(1_023, 0);
        pages.set(0, 7);
        assert_eq!(pages.iter().collect::<Vec<_>>(), [(0, 7), (1_024, 1_025), (5_000_000, 5_000_001)]);
        assert_eq!((pages.len(), pages.is_empty()), (3, false));
        assert_eq!(pages.get(u32::MAX), None);
        let mut steps = 0;
        while pages.shed(1_000) {
            steps += 1;
        }
        assert_eq!(steps, 4, "4,883 places for pages");
    }
}
