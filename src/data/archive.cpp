// The one file that knows libarchive.
#include "src/data/archive.h"

#include "unroll/error.h"

#ifdef UNROLL_HAVE_ARCHIVE
#include <archive.h>
#include <archive_entry.h>

#include <memory>
#endif

namespace unroll::data {

bool is_archive(std::string_view beginning) noexcept {
  const bool gzip = beginning.starts_with("\x1F\x8B");
  const bool tar = beginning.size() >= 262 && beginning.substr(257, 5) == "ustar";
  return gzip || tar;
}

#ifdef UNROLL_HAVE_ARCHIVE

namespace {

struct Free {
  void operator()(archive* opened) const noexcept { archive_read_free(opened); }
};

class Reader {
 public:
  /// `raw`: what is packed is one file and no archive.
  explicit Reader(std::string name, bool raw = false)
      : name_(std::move(name)), archive_(archive_read_new()) {
    if (!archive_) throw std::bad_alloc();
    archive_read_support_filter_gzip(archive_.get());
    if (raw) {
      archive_read_support_format_raw(archive_.get());
    } else {
      archive_read_support_format_tar(archive_.get());
    }
  }

  void open_file(const std::string& path) {
    constexpr std::size_t block = std::size_t{1} << 18;
    check(archive_read_open_filename(archive_.get(), path.c_str(), block));
  }
  void open_memory(std::string_view bytes) {
    check(archive_read_open_memory(archive_.get(), bytes.data(), bytes.size()));
  }

  void read(const ArchiveOptions& options, const std::function<void(const ArchiveEntry&)>& use) {
    std::string bytes;
    archive_entry* entry = nullptr;
    while (next(entry)) {
      if (archive_entry_filetype(entry) != AE_IFREG) continue;
      const char* const text = archive_entry_pathname(entry);
      const std::string path(text == nullptr ? "" : text);
      if (options.wanted && !options.wanted(path)) continue;
      read_entry(path, options.most_entry_bytes, bytes);
      use({path, bytes});
    }
  }

 private:
  bool next(archive_entry*& entry) {
    const int status = archive_read_next_header(archive_.get(), &entry);
    if (status == ARCHIVE_EOF) {
      return false;
    }
    check(status);
    return true;
  }

  void read_entry(const std::string& path, Index most, std::string& bytes) {
    bytes.clear();
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    for (;;) {
      const int status = archive_read_data_block(archive_.get(), &block, &size, &offset);
      if (status == ARCHIVE_EOF) return;
      check(status);
      // Holes of a sparse file are zeros; they count.
      if (offset > most || static_cast<Index>(size) > most - offset) {
        throw Error(ErrorKind::format, name_ + ", " + path + ": too large",
                    {.want = "at most " + std::to_string(most) + " bytes"});
      }
      bytes.resize(static_cast<std::size_t>(offset));
      bytes.append(static_cast<const char*>(block), size);
    }
  }

  void check(int status) const {
    if (status >= ARCHIVE_WARN) return;
    const char* const why = archive_error_string(archive_.get());
    throw Error(ErrorKind::format, name_ + ": a damaged archive",
                {.got = why == nullptr ? "" : why});
  }

  std::string name_;
  std::unique_ptr<archive, Free> archive_;
};

}  // namespace

void read_archive_file(const std::string& path, const ArchiveOptions& options,
                       const std::function<void(const ArchiveEntry&)>& use) {
  Reader reader(path);
  reader.open_file(path);
  reader.read(options, use);
}

void read_archive(std::string_view bytes, const std::string& name, const ArchiveOptions& options,
                  const std::function<void(const ArchiveEntry&)>& use) {
  Reader reader(name);
  reader.open_memory(bytes);
  reader.read(options, use);
}

std::string unpack_gzip(std::string_view bytes, const std::string& name, Index most_bytes) {
  Reader reader(name, true);
  reader.open_memory(bytes);
  std::string unpacked;
  reader.read({.most_entry_bytes = most_bytes},
              [&](const ArchiveEntry& entry) { unpacked = entry.bytes; });
  return unpacked;
}

#else

namespace {

[[noreturn]] void left_out(const std::string& name) {
  throw Error(ErrorKind::unsupported, name + ": this unroll was built without libarchive",
              {.hint = "unpack it and pass the folder"});
}

}  // namespace

void read_archive_file(const std::string& path, const ArchiveOptions&,
                       const std::function<void(const ArchiveEntry&)>&) {
  left_out(path);
}

void read_archive(std::string_view, const std::string& name, const ArchiveOptions&,
                  const std::function<void(const ArchiveEntry&)>&) {
  left_out(name);
}

std::string unpack_gzip(std::string_view, const std::string& name, Index) { left_out(name); }

#endif

}  // namespace unroll::data
