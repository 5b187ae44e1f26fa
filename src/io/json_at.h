// A value inside a JSON text that remembers where it stands, so that refusals can say it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/io/json.h"
#include "unroll/error.h"
#include "unroll/index.h"

namespace unroll::io {

/// Reads one value. Where it is something else than asked for, each reader throws Error (format)
/// that ends in the value's JSON pointer: "not a whole number, at /config/layers/1/config/units".
/// Requires: the text's root outlives it.
class JsonAt {
 public:
  explicit JsonAt(const Json& value, std::string pointer = {})
      : value_(&value), pointer_(std::move(pointer)) {}

  const Json& value() const noexcept { return *value_; }
  const std::string& pointer() const noexcept { return pointer_; }
  bool is_null() const noexcept { return value_->is_null(); }
  bool is_text() const noexcept { return value_->is_string(); }
  bool is_list() const noexcept { return value_->is_array(); }
  bool is_object() const noexcept { return value_->is_object(); }

  /// An entry of an object; none where there is none, or where this is no object.
  std::optional<JsonAt> find(std::string_view key) const;
  JsonAt at(std::string_view key) const;
  /// An entry of a list.
  JsonAt at(std::size_t i) const;
  std::size_t size() const { return list().value_->size(); }

  const JsonAt& list() const;
  const JsonAt& object() const;
  bool flag() const;
  /// Finite.
  double number() const;
  /// Between -2^31 and 2^31.
  Index whole() const;
  const std::string& text() const;

  /// A refusal of this value; what it is stands under "got" unless details say otherwise.
  Error refusal(const std::string& what, Details details = {}) const;

 private:
  const Json* value_;
  std::string pointer_;
};

/// The value in a few words: short texts and numbers as they are, else "a list of 3".
std::string shown(const Json& value);

/// Runs f; what it throws about sizes and values becomes a refusal at that place.
template <class F>
auto refusing_at(const JsonAt& place, F f) {
  try {
    return f();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::format) throw;
    Details details = error.details();
    if (details.got.empty()) details.got = shown(place.value());
    throw place.refusal(error.summary(), details);
  }
}

}  // namespace unroll::io
