// Archives, read from their beginning to their end without being unpacked.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "unroll/index.h"

namespace unroll::data {

/// A file in an archive.
struct ArchiveEntry {
  std::string_view path;
  std::string_view bytes;
};

struct ArchiveOptions {
  Index most_entry_bytes = Index{64} << 20;  ///< of one that is wanted
  /// Which files are read; none: all.
  std::function<bool(std::string_view path)> wanted = {};
};

/// Whether bytes begin as an archive that can be read: tar, plain or packed by gzip.
bool is_archive(std::string_view beginning) noexcept;

/// Calls use() for each wanted file of a tar archive on the disk or in memory; the entry lives as
/// long as the call. Refusals call it `name`.
/// Throws: Error (format) for an archive that cannot be read, is cut short, or has a file larger
/// than allowed; Error (unsupported) where unroll was built without
///   libarchive; what use() throws.
void read_archive_file(const std::string& path, const ArchiveOptions& options,
                       const std::function<void(const ArchiveEntry&)>& use);
void read_archive(std::string_view bytes, const std::string& name, const ArchiveOptions& options,
                  const std::function<void(const ArchiveEntry&)>& use);

/// What a file packed by gzip holds. Throws: as read_archive.
std::string unpack_gzip(std::string_view bytes, const std::string& name, Index most_bytes);

}  // namespace unroll::data
