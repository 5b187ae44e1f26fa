// The one table of the classes that files may name.
#pragma once

#include <memory>
#include <string_view>

#include "unroll/layer.h"

namespace unroll::io {

bool is_layer(std::string_view class_name);
bool is_cell(std::string_view class_name);
/// Whether it walks through time, and so takes initial states.
bool is_recurrent(std::string_view class_name);

/// A layer or cell whose options the describer fills; null for a class that there is not.
/// Throws: what the describer throws.
std::shared_ptr<Component> make_component(std::string_view class_name, Describer& options);

/// Whether an option of a class has no default.
bool must_be_given(std::string_view class_name, std::string_view option);

}  // namespace unroll::io
