#include "src/io/json_at.h"

#include <cmath>

namespace unroll::io {

namespace {

/// A key as a part of a JSON pointer (RFC 6901).
std::string escaped(std::string_view key) {
  std::string text;
  for (const char c : key) {
    if (c == '~') {
      text += "~0";
    } else if (c == '/') {
      text += "~1";
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

std::string shown(const Json& value) {
  constexpr std::size_t longest = 60;
  if (value.is_object()) {
    const auto name = value.find("class_name");
    if (name == value.end() || !name->is_string()) return "an object";
    return "an object of class " + shown(*name);
  }
  if (value.is_array()) return "a list of " + std::to_string(value.size());
  std::string text = value.dump(-1, true);
  if (text.size() > longest) text = text.substr(0, longest) + "...";
  return text;
}

Error JsonAt::refusal(const std::string& what, Details details) const {
  if (details.got.empty()) details.got = shown(*value_);
  return Error(ErrorKind::format, pointer_.empty() ? what : what + ", at " + pointer_,
               std::move(details));
}

std::optional<JsonAt> JsonAt::find(std::string_view key) const {
  if (!value_->is_object()) return std::nullopt;
  const auto found = value_->find(key);
  if (found == value_->end()) return std::nullopt;
  return JsonAt(*found, pointer_ + "/" + escaped(key));
}

JsonAt JsonAt::at(std::string_view key) const {
  auto found = object().find(key);
  if (!found) throw refusal("\"" + std::string(key) + "\" is missing");
  return *std::move(found);
}

JsonAt JsonAt::at(std::size_t i) const {
  if (i >= size()) throw refusal("too short a list");
  return JsonAt((*value_)[i], pointer_ + "/" + std::to_string(i));
}

const JsonAt& JsonAt::list() const {
  if (!value_->is_array()) throw refusal("not a list");
  return *this;
}

const JsonAt& JsonAt::object() const {
  if (!value_->is_object()) throw refusal("not an object");
  return *this;
}

bool JsonAt::flag() const {
  if (!value_->is_boolean()) throw refusal("neither true nor false");
  return value_->get<bool>();
}

double JsonAt::number() const {
  const double number = value_->is_number() ? value_->get<double>() : NAN;
  if (!std::isfinite(number)) throw refusal("not a number");
  return number;
}

Index JsonAt::whole() const {
  constexpr std::int64_t largest = std::int64_t{1} << 31;
  const bool fits = value_->is_number_unsigned()
                        ? value_->get<std::uint64_t>() < largest
                        : value_->is_number_integer() && value_->get<std::int64_t>() > -largest;
  if (!fits) throw refusal("not a whole number below 2^31");
  return value_->get<Index>();
}

const std::string& JsonAt::text() const {
  if (!value_->is_string()) throw refusal("not a text");
  return value_->text();
}

}  // namespace unroll::io
