#include "sql/bind/unload.h"

#include <algorithm>
#include <charconv>

#include "sql/bind/messages.h"

namespace tideline::sql {

namespace {

constexpr std::int64_t kMegabyte = std::int64_t{1} << 20;
constexpr std::int64_t kFileBytesMin = 16 * kMegabyte;

constexpr std::string_view kOptionNames[] = {"partitioned_by",  "format",     "compression",    "encryption",   "kms_key",
                                             "field_delimiter", "escaped_by", "include_header", "max_file_size"};

class OptionReader {
 public:
  OptionReader(const ast::UnloadOption& option, UnloadOptions* out) : option_(option), out_(out) {}

  Status Read(const std::vector<ResultColumn>& columns, bool extended) {
    const std::string& name = option_.name.text;
    if (name == "partitioned_by") return ReadPartitions(columns);
    if (std::find(std::begin(kOptionNames), std::end(kOptionNames), name) == std::end(kOptionNames)) {
      const std::vector<std::string> names(std::begin(kOptionNames), std::end(kOptionNames));
      return ErrorAt(option_.name.position, "Unknown UNLOAD option '{}'{}", name,
                     extended ? NameHint(name, names) : std::string());
    }
    const std::string text = TL_TRY(Text());
    if (name == "format") {
      const bool parquet = EqualsIgnoreCase(text, "PARQUET");
      if (!parquet && !EqualsIgnoreCase(text, "CSV")) return Wrong(text, "'CSV' or 'PARQUET'");
      out_->format = parquet ? UnloadOptions::Format::kParquet : UnloadOptions::Format::kCsv;
    } else if (name == "compression") {
      out_->gzip = EqualsIgnoreCase(text, "GZIP");
      if (!out_->gzip && !EqualsIgnoreCase(text, "NONE")) return Wrong(text, "'GZIP' or 'NONE'");
    } else if (name == "encryption") {
      out_->encrypts_with_kms = EqualsIgnoreCase(text, "SSE_KMS");
      if (!out_->encrypts_with_kms && !EqualsIgnoreCase(text, "SSE_S3")) return Wrong(text, "'SSE_S3' or 'SSE_KMS'");
    } else if (name == "kms_key") {
      if (text.empty()) return Wrong(text, "the name of a key");
      out_->kms_key = text;
    } else if (name == "field_delimiter") {
      if (text.size() != 1 || static_cast<unsigned char>(text[0]) > 127) return Wrong(text, "one ASCII character");
      out_->field_delimiter = text[0];
    } else if (name == "escaped_by") {
      if (text.size() != 1 || static_cast<unsigned char>(text[0]) > 127) return Wrong(text, "one ASCII character");
      out_->escaped_by = text[0];
    } else if (name == "include_header") {
      out_->include_header = EqualsIgnoreCase(text, "true");
      if (!out_->include_header && !EqualsIgnoreCase(text, "false")) return Wrong(text, "'true' or 'false'");
    } else {
      return ReadFileSize(text);
    }
    return OkStatus();
  }

 private:
  Status Wrong(std::string_view value, std::string_view allowed) const {
    return ErrorAt(option_.value->position, "UNLOAD option '{}' is '{}', but must be {}", option_.name.text, value,
                   allowed);
  }

  Result<std::string> Text() const {
    const ast::Expr& value = *option_.value;
    if (value.kind == ast::ExprKind::kStringLiteral) return As<ast::StringLiteral>(value).value;
    return ErrorAt(value.position, "UNLOAD option '{}' must be a string", option_.name.text);
  }

  Status ReadPartitions(const std::vector<ResultColumn>& columns) {
    const ast::Expr& value = *option_.value;
    const auto wrong_type = [&] {
      return ErrorAt(value.position, "UNLOAD option 'partitioned_by' must be an array of strings");
    };
    if (value.kind != ast::ExprKind::kArray) return wrong_type();
    std::vector<std::string> names;
    for (const ast::ExprPtr& item : As<ast::ArrayExpr>(value).items) {
      if (item->kind != ast::ExprKind::kStringLiteral) return wrong_type();
      names.push_back(As<ast::StringLiteral>(*item).value);
    }
    if (names.size() >= columns.size()) {
      return ErrorAt(value.position, "UNLOAD partitions by {} of {} columns, but at least one must be left to write",
                     names.size(), columns.size());
    }
    const std::size_t first = columns.size() - names.size();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (EqualsIgnoreCase(columns[first + i].name, names[i])) continue;
      const bool known = std::any_of(columns.begin(), columns.end(),
                                     [&](const ResultColumn& c) { return EqualsIgnoreCase(c.name, names[i]); });
      if (!known) return ErrorAt(value.position, "Column '{}' of partitioned_by does not exist", names[i]);
      return ErrorAt(value.position,
                     "The columns of partitioned_by must be the last ones of the query, in the same order: column {} "
                     "is '{}', not '{}'",
                     first + i + 1, columns[first + i].name, names[i]);
    }
    out_->partitioned_by = std::move(names);
    return OkStatus();
  }

  Status ReadFileSize(const std::string& text) {
    constexpr std::string_view kAllowed = "a size such as '512MB' or '4.9GB', from 16MB to 78GB";
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc()) return Wrong(text, kAllowed);
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    const bool gigabytes = EqualsIgnoreCase(unit, "GB");
    if (!gigabytes && !EqualsIgnoreCase(unit, "MB")) return Wrong(text, kAllowed);
    const double bytes = number * static_cast<double>(gigabytes ? 1024 * kMegabyte : kMegabyte);
    if (!(bytes >= static_cast<double>(kFileBytesMin) && bytes <= static_cast<double>(kUnloadFileBytesMax))) {
      return Wrong(text, kAllowed);
    }
    out_->file_bytes_max = static_cast<std::int64_t>(bytes);
    return OkStatus();
  }

  const ast::UnloadOption& option_;
  UnloadOptions* const out_;
};

/// s3://bucket or s3://bucket/prefix.
Status CheckLocation(const ast::UnloadStatement& unload) {
  constexpr std::string_view kScheme = "s3://";
  const std::string_view location = unload.location;
  const std::string_view rest = location.starts_with(kScheme) ? location.substr(kScheme.size()) : std::string_view();
  if (rest.substr(0, rest.find('/')).empty()) {
    return ErrorAt(unload.location_position, "UNLOAD location '{}' is not of the form s3://bucket/prefix/", location);
  }
  return OkStatus();
}

/// The type inside `type` that no file can hold; null pointer for none.
const Type* UnloadableType(const Type& type) {
  if (type.is(TypeId::kTime) || type.is(TypeId::kUnknown)) return &type;
  if (!type.is_nested()) return nullptr;
  for (std::size_t i = 0; i < type.child_count(); ++i) {
    if (const Type* inner = UnloadableType(type.child(i))) return inner;
  }
  return nullptr;
}

}  // namespace

Result<UnloadOptions> BindUnloadOptions(const ast::UnloadStatement& unload, const std::vector<ResultColumn>& columns,
                                        bool extended) {
  UnloadOptions options;
  TL_TRY(CheckLocation(unload));
  options.location = unload.location;
  for (const ResultColumn& column : columns) {
    if (const Type* inner = UnloadableType(column.type)) {
      return ErrorAt(unload.position, "Column '{}' of type {} cannot be unloaded", column.name, inner->ToString());
    }
  }
  for (std::size_t i = 0; i < unload.options.size(); ++i) {
    const ast::UnloadOption& option = unload.options[i];
    for (std::size_t k = 0; k < i; ++k) {
      if (unload.options[k].name.text == option.name.text) {
        return ErrorAt(option.name.position, "UNLOAD option '{}' is given twice", option.name.text);
      }
    }
    TL_TRY(OptionReader(option, &options).Read(columns, extended));
  }
  return options;
}

}  // namespace tideline::sql
