// IDX files, in which the MNIST digits come; plain or packed by gzip.
//
//   Tensor images = read_idx("t10k-images-idx3-ubyte.gz");   // (10000, 28, 28), 0 to 255
//   Tensor labels = read_idx("t10k-labels-idx1-ubyte.gz");   // (10000)
#pragma once

#include <string>
#include <string_view>

#include "unroll/tensor.h"

namespace unroll {

/// Reads a file of unsigned bytes (type 8). The result is uint8.
/// Throws: Error (file) where it cannot be read; Error (format) for what is no such file, is cut
///   short or goes on behind its end; Error (unsupported) for other types of numbers, and for gzip
///   where unroll was built without libarchive.
/// Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", 1998.
Tensor read_idx(const std::string& path);
/// The same in memory; refusals call the bytes `name`.
Tensor parse_idx(std::string_view bytes, const std::string& name = "IDX");

}  // namespace unroll
