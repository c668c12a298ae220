/* Preloaded into a process: the nth call of one kind on a file below a folder fails, or kills the process.
   A write that fails or kills has written its first half. Built and armed by trials.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[4096], operation[16];
static long at, error, lasting, count;

/* operation: a function's name, or "fsync-folder"; error: an errno, 0 kills; lasting: later calls fail too. */
void arm(const char *folder_, const char *operation_, long at_, long error_, long lasting_)
{
    snprintf(folder, sizeof folder, "%s", folder_);
    snprintf(operation, sizeof operation, "%s", operation_);
    at = at_, error = error_, lasting = lasting_, count = 0;
}

/* Calls of the kind since `arm`. */
long counted(void) { return count; }

static int due(const char *called, const char *path)
{
    if (!*operation || strcmp(called, operation) || strncmp(path, folder, strlen(folder)))
        return 0;
    long now = __sync_add_and_fetch(&count, 1);
    return at && (now == at || (lasting && now > at));
}

static int due_descriptor(const char *called, int descriptor)
{
    char link[64], path[4096];
    if (!*operation || strcmp(called, operation))
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return due(called, path);
}

static int fail(void)
{
    if (!error)
        kill(getpid(), SIGKILL);
    errno = (int)error;
    return -1;
}

#define NEXT(result, name, ...) ((result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t size)
{
    ssize_t (*next)(int, const void *, size_t) = NEXT(ssize_t, write, int, const void *, size_t);
    if (!due_descriptor("write", fd))
        return next(fd, bytes, size);
    next(fd, bytes, size / 2);
    return fail();
}

#define PWRITE(name, offset_type)                                                            \
    ssize_t name(int fd, const void *bytes, size_t size, offset_type offset)                 \
    {                                                                                        \
        ssize_t (*next)(int, const void *, size_t, offset_type) =                            \
            NEXT(ssize_t, name, int, const void *, size_t, offset_type);                     \
        if (!due_descriptor("pwrite", fd))                                                   \
            return next(fd, bytes, size, offset);                                            \
        next(fd, bytes, size / 2, offset);                                                   \
        return fail();                                                                       \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

int fsync(int fd)
{
    struct stat status;
    int is_folder = !fstat(fd, &status) && S_ISDIR(status.st_mode);
    return due_descriptor(is_folder ? "fsync-folder" : "fsync", fd) ? fail() : NEXT(int, fsync, int)(fd);
}

int fdatasync(int fd) { return due_descriptor("fdatasync", fd) ? fail() : NEXT(int, fdatasync, int)(fd); }

int ftruncate(int fd, off_t size)
{
    return due_descriptor("ftruncate", fd) ? fail() : NEXT(int, ftruncate, int, off_t)(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    return due_descriptor("ftruncate", fd) ? fail() : NEXT(int, ftruncate64, int, off64_t)(fd, size);
}

int rename(const char *from, const char *to)
{
    return due("rename", to) ? fail() : NEXT(int, rename, const char *, const char *)(from, to);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    return due("rename", to) ? fail()
                             : NEXT(int, renameat, int, const char *, int, const char *)(from_fd, from, to_fd, to);
}

int unlink(const char *path) { return due("unlink", path) ? fail() : NEXT(int, unlink, const char *)(path); }

int unlinkat(int fd, const char *path, int flags)
{
    return due("unlink", path) ? fail() : NEXT(int, unlinkat, int, const char *, int)(fd, path, flags);
}
