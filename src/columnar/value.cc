#include "columnar/value.h"

#include <cmath>

namespace tideline {

bool Value::operator==(const Value& other) const {
  if (type_.id() != other.type_.id() || data_.index() != other.data_.index()) return false;
  if (const double* mine = std::get_if<double>(&data_)) {
    const double theirs = std::get<double>(other.data_);
    return *mine == theirs || (std::isnan(*mine) && std::isnan(theirs));
  }
  return data_ == other.data_;
}

}  // namespace tideline
