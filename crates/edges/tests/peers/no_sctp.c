// Lets OsmoMSC start on a kernel without SCTP, which it insists on for interfaces that these tests never use: where it asks
// for an SCTP socket it gets a TCP one. SMPP is TCP and untouched. Preloaded by tests/it/peers.rs, built by scripts/peers.sh.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/socket.h>

int socket(int domain, int type, int protocol) {
    int (*real)(int, int, int) = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
    if (protocol == IPPROTO_SCTP) {
        type = (type & (SOCK_CLOEXEC | SOCK_NONBLOCK)) | SOCK_STREAM;
        protocol = IPPROTO_TCP;
    }
    return real(domain, type, protocol);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len) {
    int (*real)(int, int, int, const void *, socklen_t) = (int (*)(int, int, int, const void *, socklen_t))dlsym(RTLD_NEXT, "setsockopt");
    return level == IPPROTO_SCTP ? 0 : real(fd, level, name, value, len);
}
