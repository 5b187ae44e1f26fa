// The one file that knows libcurl.
#include "src/data/source.h"

#ifdef UNROLL_HAVE_CURL

#include <curl/curl.h>

namespace unroll::data {

namespace {

constexpr long connect_seconds = 15;
constexpr long silent_seconds = 20;
constexpr long most_redirects = 5;

struct Download {
  Bytes bytes;
  std::size_t limit;
  bool too_large = false;
};

/// libcurl's callback: another return value than the bytes given ends the transfer. Nothing may be
/// thrown through libcurl.
std::size_t receive(char* data, std::size_t, std::size_t count, void* user) noexcept {
  auto& download = *static_cast<Download*>(user);
  if (count > download.limit - download.bytes.size()) {
    download.too_large = true;
    return 0;
  }
  try {
    download.bytes.append({data, count});
  } catch (const std::bad_alloc&) {
    return 0;
  }
  return count;
}

struct Cleanup {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, Cleanup>;

Handle open(const std::string& url, const CsvOptions& options, Download& download, char* error) {
  // Thread-safe and done once, as a local static is.
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  Handle handle(started == CURLE_OK ? curl_easy_init() : nullptr);
  if (!handle) throw Error(ErrorKind::unsupported, "libcurl does not start");
  CURL* const h = handle.get();
  curl_easy_setopt(h, CURLOPT_URL, url.c_str());
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(h, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(h, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
  curl_easy_setopt(h, CURLOPT_REDIR_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
  curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(h, CURLOPT_MAXREDIRS, most_redirects);
  curl_easy_setopt(h, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, connect_seconds);
  curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, silent_seconds);
  curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout * 1000));
  curl_easy_setopt(h, CURLOPT_USERAGENT, "unroll");
  curl_easy_setopt(h, CURLOPT_ACCEPT_ENCODING, "");  // whatever libcurl can unpack
  curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, &receive);
  curl_easy_setopt(h, CURLOPT_WRITEDATA, &download);
  curl_easy_setopt(h, CURLOPT_ERRORBUFFER, error);
  return handle;
}

}  // namespace

Bytes fetch(std::string_view url, const CsvOptions& options) {
  const std::string name = source_name(url);
  const std::string address(url);
  Download download{.bytes = {}, .limit = static_cast<std::size_t>(options.max_bytes)};
  char error[CURL_ERROR_SIZE] = "";
  const Handle handle = open(address, options, download, error);
  const CURLcode result = curl_easy_perform(handle.get());
  if (result == CURLE_OK) return std::move(download.bytes);
  if (download.too_large) throw too_large(name, options.max_bytes);
  if (result == CURLE_HTTP_RETURNED_ERROR) {
    long status = 0;
    curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
    throw Error(ErrorKind::file, name + ": the server does not send it",
                {.got = "HTTP status " + std::to_string(status)});
  }
  throw Error(ErrorKind::file, name + ": cannot be fetched",
              {.got = error[0] != '\0' ? error : curl_easy_strerror(result)});
}

}  // namespace unroll::data

#else

namespace unroll::data {

Bytes fetch(std::string_view url, const CsvOptions&) {
  throw Error(ErrorKind::unsupported, source_name(url) + ": this unroll was built without libcurl",
              {.hint = "fetch it by other means and pass the file, or - to read standard input"});
}

}  // namespace unroll::data

#endif
