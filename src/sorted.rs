//! An ordered map whose compiled code is small.

use std::borrow::Borrow;
use std::slice;

/// The most entries of a chunk.
const CHUNK: usize = 128;

/// Entries in the order of their keys, in chunks. A change moves the entries of one chunk at most, and now and then the list of
/// chunks. It is meant for up to some hundred thousand entries. A chunk that becomes small is not merged with another.
///
/// It is as fast as the standard library's B-tree, whose code is six times as large for each type of entry.
#[derive(Debug, Clone)]
pub(crate) struct Sorted<K, V> {
    /// No chunk is empty.
    chunks: Vec<Vec<(K, V)>>,
}

impl<K, V> Default for Sorted<K, V> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<K: Ord, V> Sorted<K, V> {
    /// The place of the first entry that does not come before `key`: its chunk, its index there, and whether it has this key.
    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> (usize, usize, bool)
    where
        K: Borrow<Q>,
    {
        let last_of = |chunk: &Vec<(K, V)>| chunk.last().is_some_and(|(last, _)| last.borrow() < key);
        let at = self.chunks.partition_point(last_of);
        let chunk = self.chunks.get(at).map_or(&[][..], Vec::as_slice);
        let index = chunk.partition_point(|(other, _)| other.borrow() < key);
        (at, index, chunk.get(index).is_some_and(|(found, _)| found.borrow() == key))
    }

    /// The value of a key.
    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let mut later = self.from(key);
        later.next().filter(|(found, _)| (*found).borrow() == key).map(|(_, value)| value)
    }

    /// The value of a key, to change it.
    pub(crate) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let (at, index, found) = self.place(key);
        let chunk = self.chunks.get_mut(at).filter(|_| found)?;
        chunk.get_mut(index).map(|(_, value)| value)
    }

    /// Sets the value of a key. Returns the old one.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let (at, index, found) = self.place(&key);
        // A key after all others belongs to the last chunk.
        let last = self.chunks.len().saturating_sub(1);
        let (at, index) = if at > last { (last, CHUNK) } else { (at, index) };
        let Some(chunk) = self.chunks.get_mut(at) else {
            self.chunks.push(vec![(key, value)]);
            return None;
        };
        if found {
            return chunk.get_mut(index).map(|(_, old)| std::mem::replace(old, value));
        }
        chunk.insert(index.min(chunk.len()), (key, value));
        if chunk.len() > CHUNK {
            let rest = chunk.split_off(CHUNK / 2);
            self.chunks.insert(at + 1, rest);
        }
        None
    }

    /// Removes a key. Returns its value.
    pub(crate) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (at, index, found) = self.place(key);
        let chunk = self.chunks.get_mut(at).filter(|_| found)?;
        let (_, value) = chunk.remove(index);
        if chunk.is_empty() {
            self.chunks.remove(at);
        }
        Some(value)
    }

    /// The entries from this key on.
    pub(crate) fn from<Q: Ord + ?Sized>(&self, key: &Q) -> Entries<'_, K, V>
    where
        K: Borrow<Q>,
    {
        let (at, index, _) = self.place(key);
        let mut chunks = self.chunks.get(at..).unwrap_or_default().iter();
        let chunk = chunks.next().and_then(|chunk| chunk.get(index..));
        Entries { chunk: chunk.unwrap_or_default().iter(), chunks }
    }

    /// All entries.
    pub(crate) fn iter(&self) -> Entries<'_, K, V> {
        Entries { chunk: [].iter(), chunks: self.chunks.iter() }
    }
}

/// Entries in the order of their keys.
#[derive(Debug)]
pub(crate) struct Entries<'a, K, V> {
    chunk: slice::Iter<'a, (K, V)>,
    chunks: slice::Iter<'a, Vec<(K, V)>>,
}

impl<'a, K, V> Iterator for Entries<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((key, value)) = self.chunk.next() {
                return Some((key, value));
            }
            self.chunk = self.chunks.next()?.iter();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{CHUNK, Sorted};

    #[test]
    fn it_has_the_entries_of_a_tree_after_the_same_changes() {
        let (mut sorted, mut tree) = (Sorted::default(), BTreeMap::new());
        let mut random = 1_u64;
        for step in 0..40_000_u64 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let key = (random >> 33) % 2000;
            // It grows, then it shrinks to nothing.
            if (random >> 20) % 40_000 > step {
                assert_eq!(sorted.insert(key, step), tree.insert(key, step));
            } else {
                assert_eq!(sorted.remove(&key), tree.remove(&key));
            }
            assert_eq!(sorted.get(&key), tree.get(&key));
            if step % 100 == 0 {
                assert!(sorted.iter().eq(&tree));
                assert!(sorted.from(&key).eq(tree.range(key..)));
            }
            assert!(sorted.chunks.iter().all(|chunk| (1..=CHUNK).contains(&chunk.len())));
        }
        for key in 0..2000 {
            assert_eq!(sorted.remove(&key), tree.remove(&key));
        }
        assert!(sorted.chunks.is_empty());
    }

    #[test]
    fn keys_in_order_lie_in_order() {
        let mut sorted = Sorted::default();
        for key in 0..1000 {
            assert_eq!(sorted.insert(format!("{key:04}"), key), None);
        }
        assert!(sorted.iter().map(|(_, value)| *value).eq(0..1000));
        assert_eq!(sorted.from("0500").next().map(|(_, value)| *value), Some(500));
        assert_eq!(sorted.from("1").next(), None);
        assert_eq!(sorted.get("05"), None);
    }
}
