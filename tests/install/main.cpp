// What a user's first program might be; it exits with 1 where unroll is not what it says.
#include <unroll/error.h>
#include <unroll/tensor.h>
#include <unroll/version.h>

#include <cstdio>
#include <string>

int main() {
  const unroll::Tensor x({32, 50, 1});
  const std::string shape = x.shape().to_string();
  std::printf("unroll %s: a tensor of shape %s\n", std::string(unroll::version()).c_str(),
              shape.c_str());
  if (shape != "(32, 50, 1)") return 1;

  // An exception of the library's own type crosses its border.
  try {
    unroll::broadcast({2, 3}, {4});
  } catch (const unroll::Error& error) {
    return error.kind() == unroll::ErrorKind::shape ? 0 : 1;
  }
  return 1;
}
