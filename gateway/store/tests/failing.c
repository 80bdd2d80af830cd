/* Makes a disk fail on demand, below SQLite: loaded before the C library into a test's process, it lets writes and
 * fsyncs of the log's files fail while the file named by CAUSEWAY_FAIL holds "full", "write" or "fsync". */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static int of_the_log(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, "log.sqlite") != NULL;
}

static int asked_for(const char *what, int fd) {
    char word[8] = {0};
    const char *path = getenv("CAUSEWAY_FAIL");
    int file = path ? open(path, O_RDONLY) : -1;
    if (file < 0) return 0;
    long length = syscall(SYS_read, file, word, sizeof word - 1);
    close(file);
    return length > 0 && strcmp(word, what) == 0 && of_the_log(fd);
}

static int write_fails(int fd) {
    if (asked_for("full", fd)) errno = ENOSPC;
    else if (asked_for("write", fd)) errno = EIO;
    else return 0;
    return 1;
}

ssize_t write(int fd, const void *from, size_t length) {
    if (write_fails(fd)) return -1;
    return syscall(SYS_write, fd, from, length);
}

ssize_t pwrite(int fd, const void *from, size_t length, off_t at) {
    if (write_fails(fd)) return -1;
    return syscall(SYS_pwrite64, fd, from, length, at);
}

ssize_t pwrite64(int fd, const void *from, size_t length, off64_t at) {
    if (write_fails(fd)) return -1;
    return syscall(SYS_pwrite64, fd, from, length, at);
}

int fsync(int fd) {
    if (asked_for("fsync", fd)) { errno = EIO; return -1; }
    return syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
    if (asked_for("fsync", fd)) { errno = EIO; return -1; }
    return syscall(SYS_fdatasync, fd);
}
