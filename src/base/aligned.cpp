#include "src/base/aligned.h"

#include <cstdlib>
#include <cstring>
#include <new>

namespace unroll::base {

std::shared_ptr<void> aligned_bytes(Index bytes) {
  if (bytes == 0) return nullptr;
  const auto size = static_cast<std::size_t>(round_up(bytes, cache_line));
  void* memory = std::aligned_alloc(static_cast<std::size_t>(cache_line), size);
  if (memory == nullptr) throw std::bad_alloc();
  std::memset(memory, 0, size);
  return {memory, [](void* p) { std::free(p); }};
}

}  // namespace unroll::base
