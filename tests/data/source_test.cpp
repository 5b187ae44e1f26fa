// Where tables are read from: files, standard input, and servers.
#include "src/data/source.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>

#include "tests/folder.h"
#include "tests/refused.h"
#include "unroll/csv.h"

namespace unroll {
namespace {

TEST(Source, AFile) {
  const Folder folder;
  const Table table = read_csv(folder.write("a.csv", "x\n1\n2\n"));
  EXPECT_EQ(table.rows(), 2);
  EXPECT_EQ(table.name(), folder / "a.csv");
}

TEST(Source, AFileOfManyBlocks) {
  const Folder folder;
  std::string text = "x,y\n";
  for (int i = 0; i < 400'000; ++i) text += std::to_string(i) + ",1\n";
  const Table table = read_csv(folder.write("a.csv", text));
  EXPECT_EQ(table.rows(), 400'000);
  EXPECT_EQ(table.column("x").at({399'999, 0}), 399'999);
}

TEST(Source, APipeWithAName) {
  const Folder folder;
  const std::string path = folder / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::string text = "x\n";
  for (int i = 0; i < 300'000; ++i) text += "12345.5\n";
  std::thread writer([&] { std::ofstream(path) << text; });
  const Table table = read_csv(path);
  writer.join();
  EXPECT_EQ(table.rows(), 300'000);
}

TEST(Source, StandardInput) {
  const Folder folder;
  const int file = ::open(folder.write("a.csv", "x\n1\nn/a\n3\n4\n").c_str(), O_RDONLY);
  const int before = ::dup(STDIN_FILENO);
  ::dup2(file, STDIN_FILENO);
  const Table table = read_csv("-");
  ::dup2(before, STDIN_FILENO);
  ::close(before);
  ::close(file);
  EXPECT_EQ(table.rows(), 4);
  EXPECT_THAT(refused_with_kind([&] { table.column("x"); }),
              testing::StartsWith("format: standard input, line 3, column x: not a number"));
}

TEST(Source, WhatCannotBeRead) {
  const Folder folder;
  EXPECT_EQ(refused_with_kind([] { read_csv("no/such/file.csv"); }),
            "file: no/such/file.csv: no such file");
  EXPECT_EQ(refused_with_kind([] { read_csv(""); }), "file: : no such file");
  const std::string directory = folder / "";
  EXPECT_EQ(refused_with_kind([&] { read_csv(directory); }),
            "file: " + directory + ": a directory, not a file");
  const std::string loop = folder / "loop";
  ASSERT_EQ(::symlink(loop.c_str(), loop.c_str()), 0);
  EXPECT_EQ(refused_with_kind([&] { read_csv(loop); }),
            "file: " + loop + ": cannot be read\n  got    too many levels of symbolic links");
  const std::string empty = folder.write("empty.csv", "");
  EXPECT_EQ(refused_with_kind([&] { read_csv(empty); }),
            "format: " + empty +
                " is empty\n"
                "  want   a line with the names of the columns, then a line for each row");
  const std::string large = folder.write("large.csv", "x\n1\n2\n3\n");
  EXPECT_EQ(refused_with_kind([&] { read_csv(large, {.max_bytes = 7}); }),
            "format: " + large +
                ": too large\n  got    more than 7 bytes\n"
                "  want   at most that many (max_bytes)");
  EXPECT_THAT(refused_with_kind([] { read_csv(std::string_view("a\0b", 3)); }),
              testing::StartsWith("file: a"));
}

TEST(Source, NamesKeepNoPassword) {
  EXPECT_EQ(data::source_name("https://me:secret@example.org/a@b.csv?c=d@e"),
            "https://example.org/a@b.csv?c=d@e");
  EXPECT_EQ(data::source_name("HTTP://example.org"), "HTTP://example.org");
  EXPECT_FALSE(data::is_url("http.csv"));
  EXPECT_FALSE(data::is_url("ftp://example.org/a.csv"));
}

#ifdef UNROLL_HAVE_CURL

/// Answers each connection on loopback with what is given for its path.
class Server {
 public:
  explicit Server(std::map<std::string, std::string> answers) : answers_(std::move(answers)) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof(address);
    if (::bind(socket_, any, size) != 0 || ::listen(socket_, 8) != 0 ||
        ::getsockname(socket_, any, &size) != 0) {
      throw std::runtime_error("no server on loopback");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }

 private:
  void serve() {
    for (;;) {
      const int connection = ::accept(socket_, nullptr, nullptr);
      if (connection < 0) return;
      answer(connection);
      ::close(connection);
    }
  }

  void answer(int connection) const {
    std::string request;
    char block[4096];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t count = ::recv(connection, block, sizeof(block), 0);
      if (count <= 0) return;
      request.append(block, static_cast<std::size_t>(count));
    }
    const auto path = request.substr(4, request.find(' ', 4) - 4);
    const auto found = answers_.find(path);
    if (path == "/silent") {
      while (::recv(connection, block, sizeof(block), 0) > 0) continue;
      return;
    }
    const std::string text = found != answers_.end()
                                 ? found->second
                                 : "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t count = ::send(connection, text.data() + at, text.size() - at, MSG_NOSIGNAL);
      if (count <= 0) return;
      at += static_cast<std::size_t>(count);
    }
  }

  std::map<std::string, std::string> answers_;
  int socket_ = -1;
  int port_ = 0;
  std::thread thread_;
};

std::string ok(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

class Url : public testing::Test {
 protected:
  // A proxy of the surroundings must not come between.
  void SetUp() override { ::setenv("no_proxy", "127.0.0.1", 1); }
};

TEST_F(Url, IsFetched) {
  const Server server({{"/a.csv", ok("x,y\n1,2\n3,4\n")}});
  const Table table = read_csv(server.url("/a.csv"));
  EXPECT_EQ(table.rows(), 2);
  EXPECT_EQ(table.name(), server.url("/a.csv"));
}

TEST_F(Url, IsFetchedInChunksAndThroughARedirect) {
  std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 1000; ++i) chunked += i == 0 ? "2\r\nx\n\r\n" : "4\r\n1.5\n\r\n";
  const Server server({{"/a.csv", chunked + "0\r\n\r\n"},
                       {"/old.csv",
                        "HTTP/1.1 302 Found\r\nLocation: /a.csv\r\nContent-Length: 0\r\n"
                        "Connection: close\r\n\r\n"}});
  EXPECT_EQ(read_csv(server.url("/old.csv")).rows(), 999);
}

TEST_F(Url, Refusals) {
  const std::string to_file =
      "HTTP/1.1 302 Found\r\nLocation: file:///etc/hostname\r\n"
      "Content-Length: 0\r\nConnection: close\r\n\r\n";
  const std::string round =
      "HTTP/1.1 302 Found\r\nLocation: /round\r\nContent-Length: 0\r\n"
      "Connection: close\r\n\r\n";
  const Server server(
      {{"/large", ok("x\n" + std::string(100'000, '1'))},
       {"/cut", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nx\n1\n"},
       {"/bad", ok("x,y\n1\n")},
       {"/to-file", to_file},
       {"/round", round}});
  EXPECT_EQ(refused_with_kind([&] { read_csv(server.url("/none.csv")); }),
            "file: " + server.url("/none.csv") +
                ": the server does not send it\n"
                "  got    HTTP status 404");
  EXPECT_EQ(refused_with_kind([&] { read_csv(server.url("/large"), {.max_bytes = 5000}); }),
            "format: " + server.url("/large") +
                ": too large\n  got    more than 5000 bytes\n"
                "  want   at most that many (max_bytes)");
  EXPECT_THAT(
      refused_with_kind([&] { read_csv(server.url("/cut")); }),
      testing::StartsWith("file: " + server.url("/cut") + ": cannot be fetched\n  got    "));
  EXPECT_EQ(refused_with_kind([&] { read_csv(server.url("/bad")); }),
            "format: " + server.url("/bad") +
                ", line 2: too few fields\n"
                "  got    1\n  want   2, as in line 1");
  EXPECT_THAT(
      refused_with_kind([&] { read_csv(server.url("/to-file")); }),
      testing::AllOf(testing::StartsWith("file: "), testing::HasSubstr("cannot be fetched")));
  EXPECT_THAT(refused_with_kind([&] { read_csv(server.url("/round")); }),
              testing::AllOf(testing::StartsWith("file: "), testing::HasSubstr("redirects")));
}

TEST_F(Url, ASilentServerIsLeft) {
  const Server server({});
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(refused_with_kind([&] { read_csv(server.url("/silent"), {.timeout = 0.3}); }),
              testing::StartsWith("file: " + server.url("/silent") + ": cannot be fetched\n"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST_F(Url, NobodyIsThere) {
  std::string url;
  {
    const Server gone({});
    url = gone.url("/a.csv");
  }
  EXPECT_THAT(refused_with_kind([&] { read_csv(url); }),
              testing::StartsWith("file: " + url + ": cannot be fetched\n  got    "));
}

#else

TEST(Url, NeedsLibcurl) {
  EXPECT_EQ(refused_with_kind([] { read_csv("http://127.0.0.1/a.csv"); }),
            "unsupported: http://127.0.0.1/a.csv: this unroll was built without libcurl\n"
            "hint: fetch it by other means and pass the file, or - to read standard input");
}

#endif

}  // namespace
}  // namespace unroll
