// TensorBoard's event files: records of protocol buffers.
//
//   a record    length (8 bytes), masked CRC of the length (4), the bytes, masked CRC of them (4);
//               all least byte first. Masked: the CRC-32C turned right by 15 bits, plus 0xA282EAD8
//   its bytes   an Event: 1 wall_time (double), 2 step (varint), and 3 file_version or 5 Summary
//   Summary     1 Value, repeated: 1 tag, and 2 simple_value (float) or 5 HistogramProto
//   Histogram   1 min, 2 max, 3 num, 4 sum, 5 sum_squares (doubles), 6 bucket_limit and 7 bucket
//               (packed doubles)
//
// Source: the format's descriptions, TensorFlow's event.proto and summary.proto.
#pragma once

#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/index.h"

namespace unroll::io {

/// How many values fall between equally spaced limits.
struct Histogram {
  double min = 0, max = 0, count = 0, sum = 0, sum_of_squares = 0;
  std::vector<double> limits;  ///< the upper limit of each bucket, ascending
  std::vector<double> counts;
};
/// Of the finite values among them.
Histogram histogram_of(std::span<const double> values, std::size_t buckets = 30);

/// One event file, written as it grows.
class EventFile {
 public:
  /// Makes the folder and a file of a new name in it. Throws: Error (file).
  explicit EventFile(const std::string& folder);
  void scalar(std::string_view tag, Index step, double value);
  void histogram(std::string_view tag, Index step, const Histogram& values);
  /// Hands what has been written to the system. Throws: Error (file) where it could not be.
  void flush();

 private:
  void event(Index step, std::string_view field);
  void record(std::string_view bytes);

  std::string path_;
  std::ofstream out_;
};

}  // namespace unroll::io
