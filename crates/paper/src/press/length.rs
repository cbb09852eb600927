//! Lengths in whole numbers.

/// A length in thousandths of a point.
pub(super) type Mpt = i32;

/// A length in points.
pub(super) const fn pt(points: i32) -> Mpt {
    points * 1000
}

/// A length in tenths of a millimetre.
pub(super) const fn mm10(tenths: i32) -> Mpt {
    tenths * 72_000 / 254
}
