// functions/cast_json.h: the JSON row and column of the CAST matrix.
#pragma once

#include "functions/function.h"

namespace tideline::functions {

/// Whether one of the types is json and CAST between them exists.
bool CanCastJson(const Type& from, const Type& to);
/// See CastVector.
Status CastJson(const KernelContext& context, const Vector& input, const Type& to,
                const Selection& rows, Vector* result, RowErrors* errors);
/// Appends row `row` as JSON text, as CAST(... AS json) does; null is `null`.
void AppendJson(const Vector& vector, std::size_t row, std::string* out);

}  // namespace tideline::functions
