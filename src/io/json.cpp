#include "src/io/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace unroll::io {

namespace {

/// Far beyond what any file of ours needs, far below what recursion can take.
constexpr std::size_t deepest = 100;

}  // namespace

// --- parsing ---

/// What nlohmann's parser finds, piece by piece; false ends it.
class JsonParser {
 public:
  Json result;
  std::size_t mistake = 0;

  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(std::int64_t value) { return add(value); }
  bool number_unsigned(std::uint64_t value) { return add(value); }
  bool number_float(double value, const std::string&) { return add(value); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(std::vector<std::uint8_t>&) { return false; }
  bool start_array(std::size_t) { return open(Json::array()); }
  bool start_object(std::size_t) { return open(Json::object()); }
  bool end_array() { return close(); }
  bool end_object() { return close(); }
  bool key(std::string& name) {
    (*std::get<Json::Box<Json::Object>>(open_.back()->value_)).keys.push_back(std::move(name));
    return true;
  }
  bool parse_error(std::size_t byte, const std::string&, const nlohmann::json::exception&) {
    mistake = byte;
    return false;
  }

 private:
  /// Puts a value where the text is; the place stays until a later value comes to the same list.
  Json& put(Json value) {
    if (open_.empty()) return result = std::move(value);
    return open_.back()->children().emplace_back(std::move(value));
  }
  bool add(Json value) {
    put(std::move(value));
    return true;
  }
  bool open(Json value) {
    if (open_.size() == deepest) return false;
    open_.push_back(&put(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::vector<Json*> open_;  ///< lists and objects that the text is inside of
};

std::optional<Json> Json::parse(std::string_view text, std::size_t* mistake) {
  JsonParser parser;
  const bool good = nlohmann::json::sax_parse(text.data(), text.data() + text.size(), &parser);
  if (mistake != nullptr) *mistake = parser.mistake;
  if (!good) return std::nullopt;
  return std::move(parser.result);
}

// --- writing ---

namespace {

class Writer {
 public:
  Writer(int indent, bool ascii) : indent_(indent), ascii_(ascii) {}

  std::string text;

  void write(const Json& value) {
    if (value.is_array()) {
      begin('[');
      for (const Json& one : value) {
        next();
        write(one);
      }
      end(']', value.empty());
    } else if (value.is_object()) {
      begin('{');
      for (const auto& [name, one] : value.items()) {
        next();
        leaf(name);
        text += indent_ < 0 ? ":" : ": ";
        write(one);
      }
      end('}', value.empty());
    } else {
      primitive(value);
    }
  }

 private:
  void leaf(const nlohmann::json& value) {
    text += value.dump(-1, ' ', ascii_, nlohmann::json::error_handler_t::replace);
  }
  void primitive(const Json& value) {
    if (value.is_null()) return leaf(nullptr);
    if (value.is_string()) return leaf(value.text());
    if (value.is_boolean()) return leaf(value.get<bool>());
    if (value.is_number_unsigned()) return leaf(value.get<std::uint64_t>());
    if (value.is_number_integer()) return leaf(value.get<std::int64_t>());
    leaf(value.get<double>());
  }

  void begin(char bracket) {
    text += bracket;
    ++depth_;
    first_ = true;
  }
  /// Before each entry.
  void next() {
    if (!first_) text += ',';
    first_ = false;
    line();
  }
  void end(char bracket, bool empty) {
    --depth_;
    first_ = false;
    if (!empty) line();
    text += bracket;
  }
  void line() {
    if (indent_ >= 0) text += '\n' + std::string(static_cast<std::size_t>(indent_ * depth_), ' ');
  }

  int indent_;
  bool ascii_;
  int depth_ = 0;
  bool first_ = true;
};

}  // namespace

std::string Json::dump(int indent, bool ascii) const {
  Writer writer(indent, ascii);
  writer.write(*this);
  return std::move(writer.text);
}

// --- values ---

Json::Json(std::string text) : value_(Box<std::string>(std::move(text))) {}

Json::Json(std::initializer_list<Json> list) {
  const bool pairs = std::all_of(list.begin(), list.end(), [](const Json& one) {
    return one.is_array() && one.size() == 2 && one[0].is_string();
  });
  if (!pairs || list.size() == 0) {
    *this = array(list);
    return;
  }
  *this = object();
  for (const Json& one : list) (*this)[one[0].text()] = one[1];
}

Json Json::array(std::initializer_list<Json> list) {
  Json made;
  made.value_ = Box<Array>(Array(list));
  return made;
}

Json Json::object() {
  Json made;
  made.value_ = Box<Object>();
  return made;
}

const char* Json::type_name() const noexcept {
  if (is_null()) return "null";
  if (is_boolean()) return "boolean";
  if (is_string()) return "string";
  if (is_array()) return "array";
  return is_object() ? "object" : "number";
}

const Json::Array& Json::children() const noexcept {
  static const Array none;
  if (is_array()) return *std::get<Box<Array>>(value_);
  return is_object() ? (*std::get<Box<Object>>(value_)).values : none;
}

Json::Array& Json::children() noexcept {
  return is_object() ? (*std::get<Box<Object>>(value_)).values : *std::get<Box<Array>>(value_);
}

std::size_t Json::size() const noexcept { return children().size(); }

void Json::push_back(Json value) {
  if (is_null()) *this = array();
  (*std::get<Box<Array>>(value_)).push_back(std::move(value));
}

void Json::erase(std::size_t i) {
  Array& list = *std::get<Box<Array>>(value_);
  list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
}

Json::const_iterator Json::find(std::string_view key) const noexcept {
  if (!is_object()) return end();
  const Object& object = *std::get<Box<Object>>(value_);
  const auto found = std::ranges::find(object.keys, key);
  return object.values.begin() + (found - object.keys.begin());
}

Json& Json::operator[](std::string_view key) {
  if (is_null()) *this = object();
  Object& entries = *std::get<Box<Object>>(value_);
  const auto found = std::ranges::find(entries.keys, key);
  if (found != entries.keys.end()) {
    return entries.values[static_cast<std::size_t>(found - entries.keys.begin())];
  }
  entries.keys.emplace_back(key);
  return entries.values.emplace_back();
}

Json Json::value(std::string_view key, Json otherwise) const {
  const auto found = find(key);
  return found == end() ? std::move(otherwise) : *found;
}

void Json::erase(std::string_view key) {
  const auto found = find(key);
  if (found == end()) return;
  const auto place = found - begin();
  Object& entries = *std::get<Box<Object>>(value_);
  entries.keys.erase(entries.keys.begin() + place);
  entries.values.erase(entries.values.begin() + place);
}

void Json::update(const Json& other) {
  for (const auto& [name, value] : other.items()) (*this)[name] = value;
}

std::vector<std::pair<const std::string&, const Json&>> Json::items() const {
  std::vector<std::pair<const std::string&, const Json&>> list;
  if (!is_object()) return list;
  const Object& entries = *std::get<Box<Object>>(value_);
  list.reserve(entries.keys.size());
  for (std::size_t i = 0; i < entries.keys.size(); ++i) {
    list.emplace_back(entries.keys[i], entries.values[i]);
  }
  return list;
}

std::optional<std::string> Json::repeated_key() const {
  if (!is_object()) return std::nullopt;
  std::vector<std::string_view> keys;
  for (const auto& [name, value] : items()) keys.push_back(name);
  std::ranges::sort(keys);
  const auto twice = std::ranges::adjacent_find(keys);
  if (twice == keys.end()) return std::nullopt;
  return std::string(*twice);
}

}  // namespace unroll::io
