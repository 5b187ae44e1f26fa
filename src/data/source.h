// Bytes from a file, from standard input or from a server.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "unroll/csv.h"
#include "unroll/error.h"

namespace unroll::data {

/// A growing buffer that does not clear what it allocates.
class Bytes {
 public:
  char* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return size_; }
  std::string_view view() const noexcept { return {data_.get(), size_}; }

  /// Room for `more` bytes behind the last one; returns where.
  char* reserve(std::size_t more);
  void added(std::size_t count) noexcept { size_ += count; }
  void append(std::string_view text);

 private:
  struct Free {
    void operator()(char* data) const noexcept { std::free(data); }
  };
  std::unique_ptr<char, Free> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// How refusals name a source: the path, "standard input", or the URL without a password.
std::string source_name(std::string_view source);

/// Reads all of a source. Throws: as read_csv.
Bytes read_source(std::string_view source, const CsvOptions& options);

bool is_url(std::string_view source);

/// Fetches an http(s) URL.
/// Throws: Error (file) where the server cannot be reached, refuses, sends too much or is too slow;
///   Error (unsupported) where unroll was built without libcurl.
Bytes fetch(std::string_view url, const CsvOptions& options);

/// The refusal of more than max_bytes.
Error too_large(const std::string& name, Index max_bytes);

}  // namespace unroll::data
