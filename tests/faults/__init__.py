"""What is left when processes are killed, disks are full and tasks misbehave?"""
