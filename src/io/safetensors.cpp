#include "src/io/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>

#include "src/io/json.h"
#include "unroll/error.h"

namespace unroll::io {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

namespace {

constexpr std::size_t prefix = 8;
constexpr std::size_t longest_header = 100'000'000;  // the format's own bound
constexpr std::size_t alignment = 64;
constexpr const char* metadata_key = "__metadata__";

constexpr std::array<std::pair<std::string_view, DType>, 4> type_names{{
    {"F32", DType::float32},
    {"F64", DType::float64},
    {"I32", DType::int32},
    {"U8", DType::uint8},
}};

std::string_view name_of(DType dtype) {
  return std::ranges::find(type_names, dtype, &decltype(type_names)::value_type::second)->first;
}

/// One parse; it knows what its refusals call the bytes.
class Parser {
 public:
  Parser(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  TensorFile parse() {
    const Json header = read_header();
    TensorFile file;
    std::vector<Entry> entries;
    for (const auto& [key, value] : header.items()) {
      if (key == metadata_key) {
        file.metadata = read_metadata(value);
      } else {
        entries.push_back(read_entry(key, value));
      }
    }
    std::ranges::sort(entries, {}, [](const Entry& e) { return std::pair(e.begin, e.end); });
    check_cover(entries);
    for (const Entry& entry : entries) {
      Tensor tensor(entry.shape, entry.dtype);
      if (!tensor.empty()) {
        std::memcpy(tensor.raw(), data_.data() + entry.begin, entry.end - entry.begin);
      }
      file.tensors.emplace_back(entry.name, std::move(tensor));
    }
    return file;
  }

 private:
  struct Entry {
    std::string name;
    DType dtype;
    Shape shape;
    std::size_t begin, end;
  };

  Error refusal(const std::string& what, Details details) const {
    return Error(ErrorKind::format, name_ + ": " + what, std::move(details));
  }

  Json read_header() {
    if (bytes_.size() < prefix) {
      throw refusal("not a safetensors file",
                    {.got = std::to_string(bytes_.size()) + " bytes",
                     .want = "8 bytes for the header's length, then the header"});
    }
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), prefix);
    const std::size_t left = bytes_.size() - prefix;
    // A file of another kind shows first here, as an absurd length.
    if (length > left || length > longest_header || length < 2) {
      throw refusal("not a safetensors file, or cut off",
                    {.got = "a header of " + std::to_string(length) + " bytes in a file of " +
                            std::to_string(bytes_.size()),
                     .want = "a header of 2 to " + std::to_string(std::min(left, longest_header)) +
                             " bytes"});
    }
    const std::string_view text = bytes_.substr(prefix, length);
    data_ = bytes_.substr(prefix + length);
    if (text[0] != '{') {
      throw refusal("not a safetensors file", {.got = "a header that does not begin with {"});
    }
    return parse_object(text);
  }

  Json parse_object(std::string_view text) {
    std::size_t mistake = 0;
    std::optional<Json> header = Json::parse(text, &mistake);
    if (!header && mistake == 0) throw refusal("the header is nested too deeply", {});
    if (!header) throw refusal("the header is not JSON", {.want = "a JSON object in UTF-8"});
    if (!header->is_object()) throw refusal("the header is not a JSON object", {});
    // Of two entries of one name, JSON readers take either: such a file has no one meaning.
    if (const auto twice = header->repeated_key()) {
      throw refusal("two entries of one name", {.got = "\"" + *twice + "\""});
    }
    return *std::move(header);
  }

  std::map<std::string, std::string> read_metadata(const Json& value) const {
    std::map<std::string, std::string> metadata;
    const bool texts = value.is_object() && std::ranges::all_of(value, [](const Json& entry) {
                         return entry.is_string();
                       });
    if (!texts) throw refusal("__metadata__ holds something else than texts", {});
    for (const auto& [key, text] : value.items()) metadata[key] = text.get<std::string>();
    return metadata;
  }

  Entry read_entry(const std::string& key, const Json& value) const {
    const std::string title = "tensor \"" + key + "\"";
    using Is = bool (Json::*)() const noexcept;
    const auto field = [&](const char* field_name, Is is) -> const Json& {
      const auto found = value.find(field_name);
      if (found == value.end() || !((*found).*is)()) {
        throw refusal(
            title + " is not described",
            {.want = R"({"dtype": "F32", "shape": [...], "data_offsets": [begin, end]})"});
      }
      return *found;
    };
    const auto type = field("dtype", &Json::is_string).get<std::string>();
    const auto known = std::ranges::find(type_names, std::string_view(type),
                                         &decltype(type_names)::value_type::first);
    if (known == type_names.end()) {
      throw Error(ErrorKind::unsupported, name_ + ": " + title + " holds numbers of another type",
                  {.got = type, .want = "F32, F64, I32 or U8"});
    }
    const std::vector<std::uint64_t> sizes =
        counts(title, field("shape", &Json::is_array), Shape::max_rank);
    const std::vector<std::uint64_t> offsets =
        counts(title, field("data_offsets", &Json::is_array), 2);
    if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data_.size()) {
      throw refusal(title + " lies outside the file",
                    {.got = "data_offsets " + value["data_offsets"].dump(),
                     .want = "[begin, end] within " + std::to_string(data_.size()) + " bytes"});
    }
    Entry entry{key, known->second, {}, offsets[0], offsets[1]};
    // Divided, not multiplied: a product of hostile sizes would overflow.
    auto left = (entry.end - entry.begin) / static_cast<std::size_t>(size_of(entry.dtype));
    const bool empty = std::ranges::count(sizes, 0U) > 0;
    bool fits = true;
    for (const std::uint64_t size : sizes) {
      entry.shape.push_back(static_cast<Index>(size));
      if (empty) continue;
      fits = fits && left % size == 0;
      left /= size;
    }
    fits = fits && (empty ? left == 0 : left == 1) &&
           (entry.end - entry.begin) % static_cast<std::size_t>(size_of(entry.dtype)) == 0;
    if (!fits) {
      throw refusal(title + " has another size than its shape",
                    {.got = std::to_string(entry.end - entry.begin) + " bytes",
                     .want = type + " " + value["shape"].dump()});
    }
    return entry;
  }

  std::vector<std::uint64_t> counts(const std::string& title, const Json& list,
                                    std::size_t most) const {
    constexpr std::uint64_t largest = std::uint64_t{1} << 62;
    std::vector<std::uint64_t> result;
    for (const Json& value : list) {
      const bool good = value.is_number_unsigned() && value.get<std::uint64_t>() < largest;
      if (!good || result.size() == most) {
        throw refusal(title + ": not a list of sizes",
                      {.got = value.is_number() ? value.dump() : value.type_name(),
                       .want = "at most " + std::to_string(most) + " whole numbers"});
      }
      result.push_back(value.get<std::uint64_t>());
    }
    return result;
  }

  void check_cover(const std::vector<Entry>& entries) const {
    std::size_t at = 0;
    for (const Entry& entry : entries) {
      if (entry.begin != at) {
        throw refusal(
            "tensor \"" + entry.name + "\" " +
                (entry.begin < at ? "overlaps the one before" : "leaves a hole before it"),
            {.got = "begins at byte " + std::to_string(entry.begin),
             .want = "byte " + std::to_string(at)});
      }
      at = entry.end;
    }
    if (at != data_.size()) {
      throw refusal("bytes that belong to no tensor",
                    {.got = std::to_string(data_.size() - at) + " bytes at the end"});
    }
  }

  std::string_view bytes_, data_;
  const std::string& name_;
};

}  // namespace

TensorFile parse_safetensors(std::string_view bytes, const std::string& name) {
  return Parser(bytes, name).parse();
}

std::string write_safetensors(const TensorFile& file) {
  Json header = Json::object();
  for (const auto& [key, text] : file.metadata) header[metadata_key][key] = text;
  Index at = 0;
  for (const auto& [name, tensor] : file.tensors) {
    Json& entry = header[name];
    entry["dtype"] = name_of(tensor.dtype());
    entry["shape"] = std::vector<Index>(tensor.shape().begin(), tensor.shape().end());
    entry["data_offsets"] = Json::array({at, at + tensor.bytes()});
    at += tensor.bytes();
  }
  std::string text = header.dump();
  text.append((alignment - (prefix + text.size()) % alignment) % alignment, ' ');
  const auto length = static_cast<std::uint64_t>(text.size());
  std::string bytes(prefix, '\0');
  std::memcpy(bytes.data(), &length, prefix);
  bytes += text;
  for (const auto& [name, tensor] : file.tensors) {
    bytes.append(static_cast<const char*>(tensor.raw()), static_cast<std::size_t>(tensor.bytes()));
  }
  return bytes;
}

}  // namespace unroll::io
