#include "src/io/record_file.h"

#include "src/io/safetensors.h"
#include "unroll/error.h"

namespace unroll::io {

namespace {

constexpr const char* format_key = "unroll-record";
constexpr const char* format_version = "1";
constexpr std::string_view text_prefix = "text/";

}  // namespace

std::string write_record(const Record& record) {
  TensorFile file;
  file.metadata[format_key] = format_version;
  for (const auto& [name, text] : record.texts())
    file.metadata[std::string(text_prefix) + name] = text;
  for (const auto& [name, tensor] : record.tensors()) file.tensors.emplace_back(name, tensor);
  return write_safetensors(file);
}

Record parse_record(std::string_view bytes, const std::string& name) {
  TensorFile file = parse_safetensors(bytes, name);
  const auto version = file.metadata.find(format_key);
  if (version == file.metadata.end()) {
    throw Error(ErrorKind::format, name + ": a safetensors file, but not a record of unroll");
  }
  if (version->second != format_version) {
    throw Error(ErrorKind::format, name + ": a record of another format version",
                {.got = version->second, .want = format_version});
  }
  Record record;
  for (auto& [key, text] : file.metadata) {
    if (key.starts_with(text_prefix)) record.set(key.substr(text_prefix.size()), std::move(text));
  }
  for (auto& [key, tensor] : file.tensors) record.set(key, std::move(tensor));
  return record;
}

}  // namespace unroll::io
