// JSON values: what a JSON text says, as a tree.
//
//   Json object = {{"units", 50}, {"activation", "tanh"}};
//   object["names"] = std::vector<std::string>{"kernel", "bias"};
//   std::string text = object.dump(2);
//
// The words are those of the library nlohmann-json, and mean the same. That library reads and
// writes the texts, but only json.cpp includes it: it would make each file that uses JSON take 5 to
// 9 s longer to compile.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace unroll::io {

/// A value; copies are deep. The entries of an object keep their order.
/// Requires, wherever one is read: that it is of the kind that is asked for.
class Json {
 public:
  using const_iterator = std::vector<Json>::const_iterator;
  using iterator = std::vector<Json>::iterator;

  Json() = default;  ///< null
  Json(std::nullptr_t) {}
  template <std::same_as<bool> T>
  Json(T value) : value_(value) {}
  template <std::signed_integral T>
  Json(T value) : value_(static_cast<std::int64_t>(value)) {}
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) Json(T value) : value_(static_cast<std::uint64_t>(value)) {}
  template <std::floating_point T>
  Json(T value) : value_(static_cast<double>(value)) {}
  Json(std::string text);
  Json(std::string_view text) : Json(std::string(text)) {}
  Json(const char* text) : Json(std::string(text)) {}
  template <class T>
  Json(const std::vector<T>& list);
  /// An object where all are pairs that begin with a text, else a list.
  Json(std::initializer_list<Json> list);

  static Json array(std::initializer_list<Json> list = {});
  static Json object();

  /// The value of a text in UTF-8; none where it is not JSON, or is nested more than 100 deep.
  /// `mistake` becomes the number of the byte, from 1, that JSON does not have there; 0: the depth.
  static std::optional<Json> parse(std::string_view text, std::size_t* mistake = nullptr);
  /// The text: on one line, or with each entry on its own, indented by so many blanks. What is not
  /// UTF-8 becomes U+FFFD; what is not ASCII, where `ascii` asks for it, \u escapes.
  std::string dump(int indent = -1, bool ascii = false) const;

  bool is_null() const noexcept { return std::holds_alternative<std::nullptr_t>(value_); }
  bool is_boolean() const noexcept { return std::holds_alternative<bool>(value_); }
  bool is_number() const noexcept { return is_number_integer() || is_number_float(); }
  bool is_number_float() const noexcept { return std::holds_alternative<double>(value_); }
  bool is_number_integer() const noexcept {
    return std::holds_alternative<std::int64_t>(value_) || is_number_unsigned();
  }
  /// Parsed without a sign, or made from an unsigned type.
  bool is_number_unsigned() const noexcept { return std::holds_alternative<std::uint64_t>(value_); }
  bool is_string() const noexcept { return std::holds_alternative<Box<std::string>>(value_); }
  bool is_array() const noexcept { return std::holds_alternative<Box<Array>>(value_); }
  bool is_object() const noexcept { return std::holds_alternative<Box<Object>>(value_); }
  /// Neither an array nor an object.
  bool is_primitive() const noexcept { return !is_array() && !is_object(); }
  /// "null", "boolean", "number", "string", "array" or "object".
  const char* type_name() const noexcept;

  /// T: bool, a type of numbers (any number is converted, as by static_cast), std::string.
  template <class T>
  T get() const;
  const std::string& text() const { return *std::get<Box<std::string>>(value_); }

  // --- lists and objects ---

  /// Of a list or an object; otherwise 0.
  std::size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }
  /// The values of a list, or of an object's entries; otherwise nothing.
  const_iterator begin() const noexcept { return children().begin(); }
  const_iterator end() const noexcept { return children().end(); }
  const Json& operator[](std::size_t i) const { return children()[i]; }
  Json& operator[](std::size_t i) { return children()[i]; }
  void push_back(Json value);
  void erase(std::size_t i);

  /// The value of the (first) entry of that name; end() where there is none or this is no object.
  const_iterator find(std::string_view key) const noexcept;
  bool contains(std::string_view key) const noexcept { return find(key) != end(); }
  /// Requires: there is one.
  const Json& operator[](std::string_view key) const { return *find(key); }
  /// Makes one, null, where there is none; makes an object of null.
  Json& operator[](std::string_view key);
  Json value(std::string_view key, Json otherwise) const;
  void erase(std::string_view key);
  /// Takes over all entries of another object.
  void update(const Json& other);
  /// The names and values of an object's entries; the names of none for anything else.
  std::vector<std::pair<const std::string&, const Json&>> items() const;
  /// A name that more than one entry of this object has: texts may say that, and do not mean it.
  std::optional<std::string> repeated_key() const;

 private:
  friend class JsonParser;

  /// On the heap, but copied like a value: keeps a Json as small as two words.
  template <class T>
  class Box {
   public:
    Box() : value_(std::make_unique<T>()) {}
    explicit Box(T value) : value_(std::make_unique<T>(std::move(value))) {}
    Box(const Box& other) : value_(std::make_unique<T>(*other.value_)) {}
    Box(Box&&) noexcept = default;
    Box& operator=(const Box& other) { return *this = Box(other); }
    Box& operator=(Box&&) noexcept = default;
    ~Box() = default;

    T& operator*() noexcept { return *value_; }
    const T& operator*() const noexcept { return *value_; }

   private:
    std::unique_ptr<T> value_;
  };
  using Array = std::vector<Json>;
  struct Object;

  const Array& children() const noexcept;
  Array& children() noexcept;

  std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, Box<std::string>,
               Box<Array>, Box<Object>>
      value_ = nullptr;
};

struct Json::Object {
  std::vector<std::string> keys;
  Array values;  ///< one for each key
};

template <class T>
Json::Json(const std::vector<T>& list) : Json(array()) {
  for (const auto& value : list) push_back(static_cast<T>(value));
}

template <class T>
T Json::get() const {
  if constexpr (std::is_same_v<T, std::string>) {
    return text();
  } else if constexpr (std::is_same_v<T, bool>) {
    return std::get<bool>(value_);
  } else {
    static_assert(std::is_arithmetic_v<T>);
    if (is_number_unsigned()) return static_cast<T>(std::get<std::uint64_t>(value_));
    if (is_number_integer()) return static_cast<T>(std::get<std::int64_t>(value_));
    return static_cast<T>(std::get<double>(value_));
  }
}

}  // namespace unroll::io
