//! Small helpers for `minicbor`: inline vectors as arrays, shared strings as text.
//!
//! Deliberately not here: what an entry looks like (each type says so itself with numbered fields).

/// A [`smallvec::SmallVec`] as a CBOR array: for use with `#[cbor(with = "crate::cbor::small")]`.
pub mod small {
    use minicbor::decode::{Decode, Error};
    use minicbor::encode::{self, Encode, Write};
    use minicbor::{Decoder, Encoder};
    use smallvec::{Array, SmallVec};

    /// More elements than this in one list are a damaged entry: no command touches as many accounts.
    const LEN_MAX: u64 = 4 * crate::TOUCH_MAX as u64;

    /// Writes the list as an array of known length.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn encode<A: Array, C, W: Write>(
        list: &SmallVec<A>,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>>
    where
        A::Item: Encode<C>,
    {
        e.array(list.len() as u64)?;
        for item in list {
            item.encode(e, ctx)?;
        }
        Ok(())
    }

    /// Reads an array of known length.
    ///
    /// # Errors
    /// When this is no array, is longer than [`LEN_MAX`], or an element doesn't decode.
    pub fn decode<'b, A: Array, C>(d: &mut Decoder<'b>, ctx: &mut C) -> Result<SmallVec<A>, Error>
    where
        A::Item: Decode<'b, C>,
    {
        let len =
            d.array()?.filter(|len| *len <= LEN_MAX).ok_or_else(|| Error::message("list without a sane length"))?;
        (0..len).map(|_| A::Item::decode(d, ctx)).collect()
    }
}

/// A shared value as the value itself: for use with `#[cbor(with = "crate::cbor::shared")]`.
pub mod shared {
    use std::sync::Arc;

    use minicbor::decode::{Decode, Error};
    use minicbor::encode::{self, Encode, Write};
    use minicbor::{Decoder, Encoder};

    /// Writes the value.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn encode<T: Encode<C>, C, W: Write>(
        value: &Arc<T>,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        (**value).encode(e, ctx)
    }

    /// Reads the value.
    ///
    /// # Errors
    /// When it doesn't decode.
    pub fn decode<'b, T: Decode<'b, C>, C>(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Arc<T>, Error> {
        T::decode(d, ctx).map(Arc::new)
    }
}
