//! Rows: how columns, in order, become a struct on both engines. Owns the `record!` macro.

use super::{FromValue, StorageError, Value, ValueRef};

/// Something that a row can be read into, column by column.
pub trait Record: Sized {
    /// Reads the next columns of the row.
    fn read(cells: &mut Cells<'_>) -> Result<Self, StorageError>;
}

/// The columns of one row, read from left to right.
pub struct Cells<'a> {
    source: &'a dyn Source,
    next: usize,
}

/// Where columns come from: a row of one of the drivers, or a kept [`Row`].
pub(crate) trait Source {
    /// Number of columns.
    fn width(&self) -> usize;
    /// The column at `index`, which is below `width`.
    fn cell(&self, index: usize) -> Result<ValueRef<'_>, StorageError>;
}

impl<'a> Cells<'a> {
    pub(crate) fn new(source: &'a dyn Source) -> Self {
        Self { source, next: 0 }
    }

    /// The next column.
    pub fn take<T: FromValue>(&mut self) -> Result<T, StorageError> {
        let column = self.next;
        if column >= self.source.width() {
            return Err(StorageError::column(column, "the row ends before it"));
        }
        self.next += 1;
        T::from_value(self.source.cell(column)?).map_err(|problem| StorageError::column(column, &problem))
    }

    /// Reads a whole row; columns that are left over are an error, since they mean that the text and the record
    /// have drifted apart.
    pub(crate) fn read_all<R: Record>(source: &'a dyn Source) -> Result<R, StorageError> {
        let mut cells = Self::new(source);
        let record = R::read(&mut cells)?;
        if cells.next == source.width() {
            Ok(record)
        } else {
            Err(StorageError::column(cells.next, "nobody reads this column"))
        }
    }
}

/// A row kept as values: what `RETURNING` gave in a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(pub Vec<Value>);

impl Row {
    /// The row as a record.
    pub fn read<R: Record>(&self) -> Result<R, StorageError> {
        Cells::read_all(self)
    }
}

impl Source for Row {
    fn width(&self) -> usize {
        self.0.len()
    }

    fn cell(&self, index: usize) -> Result<ValueRef<'_>, StorageError> {
        Ok(self.0[index].borrowed())
    }
}

impl Record for Row {
    fn read(cells: &mut Cells<'_>) -> Result<Self, StorageError> {
        (cells.next..cells.source.width()).map(|_| cells.take()).collect::<Result<_, _>>().map(Self)
    }
}

macro_rules! tuple_records {
    ($(($($name:ident),+))+) => {$(
        impl<$($name: FromValue),+> Record for ($($name,)+) {
            fn read(cells: &mut Cells<'_>) -> Result<Self, StorageError> {
                Ok(($(cells.take::<$name>()?,)+))
            }
        }
    )+};
}

tuple_records! { (A) (A, B) (A, B, C) (A, B, C, D) }

/// Declares a struct that rows are read into: field order is column order, `NAME::COLUMNS` is the list for SELECT
/// and RETURNING.
#[macro_export]
macro_rules! record {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $(#[$first_meta:meta])* $first_vis:vis $first:ident: $first_type:ty
            $(, $(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty)* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        $vis struct $name {
            $(#[$first_meta])* $first_vis $first: $first_type,
            $($(#[$field_meta])* $field_vis $field: $type,)*
        }

        impl $name {
            /// The columns, in the order in which rows are read.
            pub const COLUMNS: &'static str = concat!(stringify!($first), $(", ", stringify!($field)),*);
        }

        impl $crate::engine::Record for $name {
            fn read(
                cells: &mut $crate::engine::Cells<'_>,
            ) -> ::std::result::Result<Self, $crate::engine::StorageError> {
                Ok(Self { $first: cells.take()?, $($field: cells.take()?,)* })
            }
        }
    };
}
