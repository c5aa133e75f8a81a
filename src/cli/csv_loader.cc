#include "cli/csv_loader.h"

#include <algorithm>

namespace tideline::cli {

Status CsvLoader::Annotated(const Status& status, std::size_t line) const {
  return Annotate(status, fmt::format("{}:{}", options_.file, line));
}

Result<bool> CsvLoader::Next(CsvReader& reader, LoadColumns::Fields* fields) const {
  const Result<bool> more = reader.Next(fields);
  // The reader's own errors name the line; it may lie within a record.
  if (!more.ok()) return Annotate(more.status(), options_.file);
  if (*more && columns_.has_value() && fields->size() != columns_->size()) {
    return Annotated(InvalidArgument("{} fields, but the header has {}", fields->size(), columns_->size()),
                     reader.line());
  }
  return *more;
}

Status CsvLoader::ReadHeader(CsvReader& reader) {
  LoadColumns::Fields names;
  const bool has_header = TL_TRY(Next(reader, &names));
  if (!has_header) return InvalidArgument("{} is empty; its first line must name the columns", options_.file);
  Result<LoadColumns> made = LoadColumns::Make(names, options_.columns);
  if (!made.ok()) return Annotated(made.status(), reader.line());
  columns_ = *std::move(made);
  return OkStatus();
}

Status CsvLoader::ReadFirstRows(CsvReader& reader) {
  first_rows_.reserve(kRowsInferred);  // short records move with their fields otherwise
  LoadColumns::Fields fields;
  std::size_t bytes = 0;
  while (first_rows_.size() < kRowsInferred && bytes < kInferredBytesMax) {
    const bool more = TL_TRY(Next(reader, &fields));
    if (!more) break;
    FirstRow& row = first_rows_.emplace_back();
    row.record = reader.record();
    row.line = reader.line();
    bytes += row.record.size();
    for (const std::string_view field : fields) {
      const auto offset = static_cast<std::size_t>(field.data() - reader.record().data());
      row.fields.push_back(std::string_view(row.record).substr(offset, field.size()));
    }
  }
  for (const FirstRow& row : first_rows_) columns_->Infer(row.fields);
  return CheckFirstRows();
}

// They are added once for trial, so that an error among them comes before anything is written.
Status CsvLoader::CheckFirstRows() {
  LoadBatch trial(1);
  for (const FirstRow& row : first_rows_) {
    const Status added = columns_->AddRow(row.record, row.fields, row.line, &trial).status();
    if (!added.ok()) return Annotated(added, row.line);
    trial.Clear();
  }
  return OkStatus();
}

Status CsvLoader::AddRow(std::string_view record, const LoadColumns::Fields& fields, std::size_t line) {
  const Result<bool> added = columns_->AddRow(record, fields, line, batch_.get());
  if (!added.ok()) return Annotated(added.status(), line);
  if (!*added) {
    ++counts_.without_values;
    if (counts_.lines_without_values.size() < kLinesShown) counts_.lines_without_values.push_back(line);
  }
  if (!batch_->full()) return OkStatus();
  writer_->Put(std::move(batch_));
  batch_ = TL_TRY(writer_->Take());
  return OkStatus();
}

Status CsvLoader::WriteRows(CsvReader& reader) {
  batch_ = TL_TRY(writer_->Take());
  for (const FirstRow& row : first_rows_) TL_TRY(AddRow(row.record, row.fields, row.line));
  first_rows_ = {};
  LoadColumns::Fields fields;
  for (;;) {
    const bool more = TL_TRY(Next(reader, &fields));
    if (!more) return OkStatus();
    TL_TRY(AddRow(reader.record(), fields, reader.line()));
  }
}

Status CsvLoader::Load(std::istream& in) {
  CsvReader reader(in, options_.separator);
  TL_TRY(ReadHeader(reader));
  TL_TRY(ReadFirstRows(reader));
  TL_TRY(sink_.Prepare());
  writer_.emplace(sink_, options_.file);
  const Status read = WriteRows(reader);
  // Rows before a wrong one are right: what is stored is the file up to that line.
  if (batch_ != nullptr && batch_->size() > 0) writer_->Put(std::move(batch_));
  const Status written = writer_->Finish();
  const Status finished = sink_.Finish();
  counts_.written = writer_->written();
  counts_.rejected = writer_->rejected();
  TL_TRY(written);
  TL_TRY(read);
  return finished;
}

}  // namespace tideline::cli
