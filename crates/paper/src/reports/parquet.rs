//! A table as a Parquet file: one row group, no compression, every column optional.
//!
//! Guarantees: money and counts are INT64, dates are DATE, text is UTF-8; a sum that leaves `i64` is a fault, not another
//! number.

use std::io::Write;
use std::sync::Arc;

use ::parquet::basic::{LogicalType, Repetition, Type as Physical};
use ::parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use ::parquet::schema::types::Type;

use super::fault::ReportFault;
use super::table::{Cell, Column, Shape, Table};

/// Writes it.
pub fn write(table: &Table, out: impl Write + Send) -> Result<(), ReportFault> {
    let fields = table.columns.iter().map(field).collect::<Result<Vec<_>, ReportFault>>()?;
    let schema = Type::group_type_builder("report").with_fields(fields).build()?;
    let properties = WriterProperties::builder().set_created_by(String::from("sonmul")).build();
    let mut file = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))?;
    let mut rows = file.next_row_group()?;
    for (place, column) in table.columns.iter().enumerate() {
        let cells = table.rows.iter().map(|row| row.get(place).unwrap_or(&Cell::None));
        match column.shape {
            Shape::Text => put::<ByteArrayType>(&mut rows, cells, text)?,
            Shape::Date => put::<Int32Type>(&mut rows, cells, |cell| Ok(date(cell)))?,
            Shape::Count | Shape::Money => put::<Int64Type>(&mut rows, cells, number)?,
        }
    }
    rows.close()?;
    file.close()?;
    Ok(())
}

fn field(column: &Column) -> Result<Arc<Type>, ReportFault> {
    let (physical, logical) = match column.shape {
        Shape::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Shape::Date => (Physical::INT32, Some(LogicalType::Date)),
        Shape::Count | Shape::Money => (Physical::INT64, None),
    };
    let name = column.key();
    let field =
        Type::primitive_type_builder(&name, physical).with_repetition(Repetition::OPTIONAL).with_logical_type(logical);
    Ok(Arc::new(field.build()?))
}

fn put<'a, T: DataType>(
    rows: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    cells: impl Iterator<Item = &'a Cell>,
    value: impl Fn(&Cell) -> Result<Option<T::T>, ReportFault>,
) -> Result<(), ReportFault> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for cell in cells {
        let value = value(cell)?;
        levels.push(i16::from(value.is_some()));
        values.extend(value);
    }
    let mut column = rows.next_column()?.ok_or(ReportFault::Columns)?;
    column.typed::<T>().write_batch(&values, Some(&levels), None)?;
    Ok(column.close()?)
}

fn text(cell: &Cell) -> Result<Option<ByteArray>, ReportFault> {
    Ok(match cell {
        Cell::Text(text) => Some(ByteArray::from(text.as_str())),
        Cell::None | Cell::Date(_) | Cell::Count(_) | Cell::Money(_) => None,
    })
}

const fn date(cell: &Cell) -> Option<i32> {
    match cell {
        Cell::Date(date) => Some(date.days()),
        Cell::None | Cell::Text(_) | Cell::Count(_) | Cell::Money(_) => None,
    }
}

fn number(cell: &Cell) -> Result<Option<i64>, ReportFault> {
    let number = match cell {
        Cell::Count(count) => i64::try_from(*count),
        Cell::Money(money) => i64::try_from(money.minor),
        Cell::None | Cell::Text(_) | Cell::Date(_) => return Ok(None),
    };
    number.map(Some).map_err(|_| ReportFault::TooLarge)
}

#[cfg(test)]
mod tests {
    use ::parquet::file::reader::{FileReader, SerializedFileReader};
    use domain::time::BusinessDate;

    use super::write;
    use crate::reports::table::{Cell, Column, Money, Shape, Table};

    const COLUMNS: &[Column] = &[
        Column::new("date", Shape::Date),
        Column::new("outlet name", Shape::Text),
        Column::new("cards", Shape::Count),
        Column::new("sales", Shape::Money),
    ];

    fn table(minor: i128) -> Table {
        let money = Cell::from(Money { minor, digits: 2 });
        let full = vec![Cell::Date(BusinessDate::from_days(20_000)), "상점".into(), Cell::Count(7), money.clone()];
        Table::new("money", COLUMNS, vec![full, vec![Cell::None, Cell::None, Cell::None, money]])
    }

    #[test]
    fn another_program_reads_what_was_written() {
        let mut file = Vec::new();
        write(&table(-1_250), &mut file).expect("written");
        let reader = SerializedFileReader::new(bytes::Bytes::from(file)).expect("a Parquet file");
        let rows: Vec<String> =
            reader.get_row_iter(None).expect("rows").map(|row| row.expect("a row").to_string()).collect();
        assert_eq!(
            rows,
            [
                "{date: 2024-10-04, outlet_name: \"상점\", cards: 7, sales_minor: -1250}",
                "{date: null, outlet_name: null, cards: null, sales_minor: -1250}",
            ]
        );
    }

    #[test]
    fn no_sum_becomes_another_one() {
        write(&table(i128::from(i64::MAX) + 1), Vec::new()).expect_err("too large");
    }
}
