//! Counters of a link: named once, and counted, read and shown under that name.
//!
//! Guarantees: a counter that is added is in the metrics; counting never waits.

/// From names with a line of documentation each: `Counts`, what was counted; `Count`, which counter; `Counters`, where it
/// is counted.
macro_rules! counters {
    ($(#[$of:meta])* $vis:vis Counts { $($(#[$doc:meta])* $name:ident,)* }) => {
        $(#[$of])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        $vis struct Counts {
            $($(#[$doc])* $vis $name: u64,)*
        }

        impl Counts {
            /// Names and values, for metrics.
            $vis fn named(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
                [$((stringify!($name), self.$name),)*].into_iter()
            }
        }

        /// Which counter.
        #[expect(non_camel_case_types, reason = "named as the fields that they count into")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Count {
            $($name,)*
        }

        #[derive(Debug, Default)]
        struct Counters {
            $($name: std::sync::atomic::AtomicU64,)*
        }

        impl Counters {
            fn read(&self) -> Counts {
                Counts { $($name: self.$name.load(std::sync::atomic::Ordering::Relaxed),)* }
            }

            fn add(&self, count: Count, more: u64) {
                let counter = match count {
                    $(Count::$name => &self.$name,)*
                };
                counter.fetch_add(more, std::sync::atomic::Ordering::Relaxed);
            }
        }
    };
}

pub(crate) use counters;

#[cfg(test)]
mod tests {
    super::counters! {
        /// Two.
        Counts {
            /// The first.
            first,
            /// The second.
            second,
        }
    }

    #[test]
    fn every_count_has_its_own_place_and_its_own_name() {
        let counters = Counters::default();
        counters.add(Count::first, 1);
        counters.add(Count::second, 2);
        counters.add(Count::second, 3);
        assert_eq!(counters.read(), Counts { first: 1, second: 5 });
        assert_eq!(counters.read().named().collect::<Vec<_>>(), [("first", 1), ("second", 5)]);
    }
}
