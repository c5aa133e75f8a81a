#include "cli/result_printer.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "cli/output.h"

namespace tideline::cli {
namespace {

// Rows the table format measures before it prints.
constexpr std::size_t kTableRowsMeasured = 10'000;
constexpr std::size_t kTableColumnWidthMax = 60;

std::size_t DisplayWidth(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::vector<std::string> ColumnNames(const JsonValue& page) {
  std::vector<std::string> names;
  if (const JsonValue* columns = page.Find("ColumnInfo")) {
    for (const JsonValue& column : columns->items()) names.emplace_back(column.FindText("Name"));
  }
  return names;
}

const std::vector<JsonValue>& RowsOf(const JsonValue& page) {
  static const std::vector<JsonValue> none;
  const JsonValue* rows = page.Find("Rows");
  return rows == nullptr ? none : rows->items();
}

const std::vector<JsonValue>& DataOf(const JsonValue& row) {
  static const std::vector<JsonValue> none;
  const JsonValue* data = row.Find("Data");
  return data == nullptr ? none : data->items();
}

// A line break or another control character would break the table, and some move the cursor.
std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      escaped += c;
    } else if (c == '\n') {
      escaped += "\\n";
    } else if (c == '\r') {
      escaped += "\\r";
    } else if (c == '\t') {
      escaped += "\\t";
    } else {
      escaped += fmt::format("\\x{:02x}", byte);
    }
  }
  return escaped;
}

class TablePrinter final : public ResultPrinter {
 public:
  void Page(const JsonValue& page) override {
    if (names_.empty()) {
      for (const std::string& name : ColumnNames(page)) names_.push_back(Escaped(name));
      Widen(names_);
    }
    for (const JsonValue& row : RowsOf(page)) {
      ++row_count_;
      std::vector<std::string> cells;
      for (const JsonValue& datum : DataOf(row)) cells.push_back(Escaped(DatumText(datum, "NULL")));
      if (header_printed_) {
        PrintRow(cells);
        continue;
      }
      Widen(cells);
      held_.push_back(std::move(cells));
      if (held_.size() >= kTableRowsMeasured) PrintHeld();
    }
  }
  void End() override {
    if (!names_.empty()) PrintHeld();
    Put(fmt::format("({} row{})\n", row_count_, row_count_ == 1 ? "" : "s"));
  }

 private:
  void Widen(const std::vector<std::string>& cells) {
    widths_.resize(std::max(widths_.size(), cells.size()));
    for (std::size_t i = 0; i < cells.size(); ++i) {
      widths_[i] = std::max(widths_[i], std::min(DisplayWidth(cells[i]), kTableColumnWidthMax));
    }
  }
  void PrintRow(const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i != 0) line += " | ";
      line += cells[i];
      const std::size_t width = DisplayWidth(cells[i]);
      if (width < widths_[i] && i + 1 < cells.size()) line.append(widths_[i] - width, ' ');
    }
    Put(line + "\n");
  }
  void PrintHeld() {
    if (!header_printed_) {
      header_printed_ = true;
      PrintRow(names_);
      std::string rule;
      for (std::size_t i = 0; i < names_.size(); ++i) {
        if (i != 0) rule += "-+-";
        rule.append(widths_[i], '-');
      }
      Put(rule + "\n");
    }
    for (const auto& cells : held_) PrintRow(cells);
    held_.clear();
  }
  std::vector<std::string> names_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<std::string>> held_;
  bool header_printed_ = false;
};

// RFC 4180; null is an empty field, an empty text is "".
class CsvPrinter final : public ResultPrinter {
 public:
  void Page(const JsonValue& page) override {
    if (!header_printed_) {
      header_printed_ = true;
      std::string line;
      for (const std::string& name : ColumnNames(page)) {
        if (!line.empty()) line += ',';
        line += Field(name);
      }
      Put(line + "\n");
    }
    for (const JsonValue& row : RowsOf(page)) {
      ++row_count_;
      std::string line;
      bool first = true;
      for (const JsonValue& datum : DataOf(row)) {
        if (!first) line += ',';
        first = false;
        if (datum.Find("NullValue") == nullptr) line += Field(DatumText(datum, "null"));
      }
      Put(line + "\n");
    }
  }
  void End() override {}

 private:
  static std::string Field(std::string_view text) {
    if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos) {
      return std::string(text);
    }
    std::string quoted = "\"";
    for (const char c : text) {
      if (c == '"') quoted += '"';
      quoted += c;
    }
    return quoted + "\"";
  }
  bool header_printed_ = false;
};

// Whether `text` is a number as JSON writes it: NaN, Infinity and "+1" are none.
bool IsJsonNumber(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t begin = i;
    while (i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0) ++i;
    return i - begin;
  };
  if (i < text.size() && text[i] == '-') ++i;
  const bool zero = i < text.size() && text[i] == '0';
  const std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

void WriteScalar(JsonWriter* json, std::string_view text, std::string_view type) {
  if ((type == "BIGINT" || type == "INTEGER" || type == "DOUBLE") && IsJsonNumber(text)) {
    json->Raw(text);
  } else if (type == "BOOLEAN" && (text == "true" || text == "false")) {
    json->Bool(text == "true");
  } else {
    json->String(text);
  }
}

// The type of a column or of what is in it, as ColumnInfo describes it; an empty object says nothing.
const JsonValue& TypeIn(const JsonValue* column) {
  static const JsonValue unknown;
  const JsonValue* type = column == nullptr ? nullptr : column->Find("Type");
  return type == nullptr ? unknown : *type;
}

void WriteDatum(JsonWriter* json, const JsonValue& datum, const JsonValue& type) {
  if (const JsonValue* array = datum.Find("ArrayValue")) {
    json->BeginArray();
    for (const JsonValue& item : array->items()) WriteDatum(json, item, TypeIn(type.Find("ArrayColumnInfo")));
    json->EndArray();
  } else if (const JsonValue* row = datum.Find("RowValue")) {
    const JsonValue* fields = type.Find("RowColumnInfo");
    const std::vector<JsonValue>& data = DataOf(*row);
    json->BeginArray();
    for (std::size_t i = 0; i < data.size(); ++i) {
      const bool known = fields != nullptr && i < fields->items().size();
      WriteDatum(json, data[i], TypeIn(known ? &fields->items()[i] : nullptr));
    }
    json->EndArray();
  } else if (const JsonValue* series = datum.Find("TimeSeriesValue")) {
    json->BeginArray();
    for (const JsonValue& point : series->items()) {
      json->BeginObject();
      json->Member("time", point.FindText("Time"));
      json->Key("value");
      WriteDatum(json, *point.Find("Value"), TypeIn(type.Find("TimeSeriesMeasureValueColumnInfo")));
      json->EndObject();
    }
    json->EndArray();
  } else if (datum.Find("ScalarValue") != nullptr) {
    WriteScalar(json, datum.FindText("ScalarValue"), type.FindText("ScalarType"));
  } else {
    json->Null();
  }
}

// Of columns with one name the second becomes NAME_2, or the next number that no column has.
std::vector<std::string> DistinctNames(const std::vector<std::string>& names) {
  const std::set<std::string> given(names.begin(), names.end());
  std::set<std::string> used;
  std::vector<std::string> distinct;
  for (const std::string& name : names) {
    std::string called = name;
    for (int number = 2; used.contains(called) || (number > 2 && given.contains(called)); ++number) {
      called = fmt::format("{}_{}", name, number);
    }
    used.insert(called);
    distinct.push_back(std::move(called));
  }
  return distinct;
}

// One object a row and line.
class JsonPrinter final : public ResultPrinter {
 public:
  void Page(const JsonValue& page) override {
    if (names_.empty()) TakeColumns(page);
    for (const JsonValue& row : RowsOf(page)) {
      ++row_count_;
      std::string line;
      JsonWriter json(&line);
      json.BeginObject();
      const std::vector<JsonValue>& data = DataOf(row);
      for (std::size_t i = 0; i < std::min(data.size(), names_.size()); ++i) {
        json.Key(names_[i]);
        WriteDatum(&json, data[i], types_[i]);
      }
      json.EndObject();
      Put(line + "\n");
    }
  }
  void End() override {}

 private:
  void TakeColumns(const JsonValue& page) {
    names_ = DistinctNames(ColumnNames(page));
    if (const JsonValue* columns = page.Find("ColumnInfo")) {
      for (const JsonValue& column : columns->items()) types_.push_back(TypeIn(&column));
    }
  }
  std::vector<std::string> names_;
  std::vector<JsonValue> types_;
};

std::string ListText(const std::vector<JsonValue>& items, char open, char close) {
  std::string text(1, open);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i != 0) text += ", ";
    text += DatumText(items[i], "NULL");
  }
  return text + close;
}

}  // namespace

std::string DatumText(const JsonValue& datum, std::string_view null_text) {
  if (const JsonValue* array = datum.Find("ArrayValue")) return ListText(array->items(), '[', ']');
  if (const JsonValue* row = datum.Find("RowValue")) return ListText(DataOf(*row), '(', ')');
  if (const JsonValue* series = datum.Find("TimeSeriesValue")) {
    std::string text = "[";
    for (const JsonValue& point : series->items()) {
      if (text.size() > 1) text += ", ";
      text += fmt::format("{{time: {}, value: {}}}", point.FindText("Time"),
                          DatumText(*point.Find("Value"), "NULL"));
    }
    return text + "]";
  }
  if (datum.Find("ScalarValue") != nullptr) return std::string(datum.FindText("ScalarValue"));
  return std::string(null_text);
}

Result<OutputFormat> ParseOutputFormat(std::string_view text) {
  if (text == "table") return OutputFormat::kTable;
  if (text == "csv") return OutputFormat::kCsv;
  if (text == "json") return OutputFormat::kJson;
  return InvalidArgument("--format is '{}'; it must be table, csv or json", text);
}

std::unique_ptr<ResultPrinter> MakePrinter(OutputFormat format) {
  switch (format) {
    case OutputFormat::kTable:
      return std::make_unique<TablePrinter>();
    case OutputFormat::kCsv:
      return std::make_unique<CsvPrinter>();
    case OutputFormat::kJson:
      return std::make_unique<JsonPrinter>();
  }
  return nullptr;
}

}  // namespace tideline::cli
