# Open a socket by the entry for 32-bit programs, whose numbers are others: socketcall(SYS_SOCKET).
# ends: PermissionError
import ctypes, mmap, os

code = bytes.fromhex("5389f889f389d1cd805bc3")  # push rbx; eax=edi; ebx=esi; ecx=edx; int 80h
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(code)
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint)(address)
got = call(X86["socket of 32 bits"], 2, 1)
if got < 0:
    raise OSError(-got, os.strerror(-got))
