#include "src/io/event_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <system_error>

#include "src/io/crc32c.h"
#include "unroll/error.h"

namespace unroll::io {

namespace {

// --- bytes of numbers and of protocol buffers ---

template <class T>
void put(std::string& into, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) into += static_cast<char>((value >> (8 * i)) & 0xFF);
}

void put_double(std::string& into, double value) { put(into, std::bit_cast<std::uint64_t>(value)); }

void put_varint(std::string& into, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) into += static_cast<char>((value & 0x7F) | 0x80);
  into += static_cast<char>(value);
}

enum class Wire { varint = 0, eight_bytes = 1, length = 2, four_bytes = 5 };

void put_key(std::string& into, int field, Wire wire) {
  put_varint(into, (static_cast<std::uint64_t>(field) << 3) | static_cast<std::uint64_t>(wire));
}

void put_bytes(std::string& into, int field, std::string_view bytes) {
  put_key(into, field, Wire::length);
  put_varint(into, bytes.size());
  into += bytes;
}

void put_double(std::string& into, int field, double value) {
  put_key(into, field, Wire::eight_bytes);
  put_double(into, value);
}

void put_doubles(std::string& into, int field, const std::vector<double>& values) {
  std::string packed;
  for (const double value : values) put_double(packed, value);
  put_bytes(into, field, packed);
}

double seconds_since_1970() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

std::string host() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

Error cannot_write(const std::string& path) {
  return Error(ErrorKind::file, path + ": cannot be written",
               {.got = std::generic_category().message(errno)});
}

/// A file of this name that was not there; false where there is one.
bool make_file(const std::string& path) {
  const int made = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (made < 0 && errno != EEXIST) throw cannot_write(path);
  if (made >= 0) ::close(made);
  return made >= 0;
}

}  // namespace

Histogram histogram_of(std::span<const double> values, std::size_t buckets) {
  Histogram made;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    made.min = made.count == 0 ? value : std::min(made.min, value);
    made.max = made.count == 0 ? value : std::max(made.max, value);
    made.count += 1;
    made.sum += value;
    made.sum_of_squares += value * value;
  }
  if (made.min == made.max) buckets = 1;
  const double width = (made.max - made.min) / static_cast<double>(buckets);
  made.counts.assign(buckets, 0.0);
  for (std::size_t i = 1; i < buckets; ++i) {
    made.limits.push_back(made.min + width * static_cast<double>(i));
  }
  made.limits.push_back(made.max);
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    const double place = (value - made.min) / width;
    // Not a number where the width is 0 or too large for a double.
    const bool inside = place < static_cast<double>(buckets);
    made.counts[inside ? static_cast<std::size_t>(place) : buckets - 1] += 1;
  }
  return made;
}

EventFile::EventFile(const std::string& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) {
    throw Error(ErrorKind::file, folder + ": cannot be made", {.got = failed.message()});
  }
  const double now = seconds_since_1970();
  int number = 0;
  do {
    // TensorBoard reads the files of a folder in the order of their names.
    path_ = fmt::format("{}/events.out.tfevents.{:010d}.{}.{}.{}.v2", folder,
                        static_cast<std::int64_t>(now), host(), ::getpid(), number++);
  } while (!make_file(path_));
  out_.open(path_, std::ios::binary);
  std::string version;
  put_double(version, 1, now);
  put_bytes(version, 3, "brain.Event:2");
  record(version);
  flush();
}

void EventFile::scalar(std::string_view tag, Index step, double value) {
  std::string entry;
  put_bytes(entry, 1, tag);
  put_key(entry, 2, Wire::four_bytes);
  put(entry, std::bit_cast<std::uint32_t>(static_cast<float>(value)));
  event(step, entry);
}

void EventFile::histogram(std::string_view tag, Index step, const Histogram& values) {
  std::string histogram;
  put_double(histogram, 1, values.min);
  put_double(histogram, 2, values.max);
  put_double(histogram, 3, values.count);
  put_double(histogram, 4, values.sum);
  put_double(histogram, 5, values.sum_of_squares);
  put_doubles(histogram, 6, values.limits);
  put_doubles(histogram, 7, values.counts);
  std::string entry;
  put_bytes(entry, 1, tag);
  put_bytes(entry, 5, histogram);
  event(step, entry);
}

void EventFile::event(Index step, std::string_view value) {
  std::string summary;
  put_bytes(summary, 1, value);
  std::string whole;
  put_double(whole, 1, seconds_since_1970());
  put_key(whole, 2, Wire::varint);
  put_varint(whole, static_cast<std::uint64_t>(step));
  put_bytes(whole, 5, summary);
  record(whole);
}

void EventFile::record(std::string_view bytes) {
  const auto masked = [](std::string_view of) { return std::rotr(crc32c(of), 15) + 0xA282EAD8U; };
  std::string framed;
  put(framed, static_cast<std::uint64_t>(bytes.size()));
  put(framed, masked(framed));
  framed += bytes;
  put(framed, masked(bytes));
  out_.write(framed.data(), static_cast<std::streamsize>(framed.size()));
}

void EventFile::flush() {
  if (!out_.flush()) throw cannot_write(path_);
}

}  // namespace unroll::io
